"""Purchases as they happen: Kafka in, 30-day features out, each purchase counted exactly once.

``events`` says what a good event is; ``aggregations`` and ``windows`` say what is computed from purchases, once, for
the worker and for its tests; ``window_state``, ``window_store`` and ``window_updates`` keep one entity's window beside
its features in Feast's Redis hash, changed by one atomic script; ``column_fold`` brings thousands of plain windows
forward at once, in a backlog; ``event_clock`` and ``expiry_index`` let windows fall without new events, swept by
``sweep``; ``positions`` and ``node_marks`` say how far the store is, whatever part of it was lost; ``event_log``
appends everything to Parquet, for batch; ``worker`` is the loop around them. Nothing here imports ``serving``.
"""
