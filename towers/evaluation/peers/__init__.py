"""What a shop gets elsewhere, on the same customers: simple rules (``baselines``), the ``implicit`` library, LightGBM
on the ranker's own rows (``trees``), and the towers alone (``contenders``).
"""
