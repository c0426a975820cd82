"""Event time: the watermark (``event_clock``), and windows that change because a day has passed.

``expiry_index`` knows which windows change on which day, ``cluster_expiry_index`` on a Redis Cluster; ``sweep`` goes
through it in bounded steps.
"""
