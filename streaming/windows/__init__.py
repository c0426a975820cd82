"""What a 30-day window is, and how purchases are folded into it, exactly once.

``definitions`` lists the windows: which ``aggregations`` they hold and which features these give. ``state`` is one in
memory, of day ``tiles``; ``column_fold`` and ``tile_columns`` do the same for thousands of windows at once, in a
backlog; ``updates`` brings memory and Redis forward together, whoever else writes.
"""
