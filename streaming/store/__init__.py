"""What Redis holds of the stream, and why nothing of it is counted twice or lost.

``window_store`` reads and writes windows by one atomic script, whose calls ``window_packing`` and ``column_packing``
pack; ``stored_windows`` takes replies apart. ``checkpoints`` say how far a topic is applied, and ``node_marks`` why
that can be believed after any master of a cluster has fallen back.
"""
