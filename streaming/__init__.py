"""Purchases as they happen: Kafka in, 30-day features out, each purchase counted exactly once.

``events`` reads what comes over Kafka; ``windows`` says what is computed from purchases, once, for the worker and for
its tests, and folds it; ``store`` keeps an entity's window beside its features in Feast's Redis hash, changed by one
atomic script, and says how far it is, whatever part of it was lost; ``time`` is the watermark, and expires windows
without new events; ``log`` appends everything to Parquet, for batch; ``worker`` is the loop around them. ``bootstrap``
loads the windows of a new deployment, ``replay`` sends purchase files. Nothing here imports ``serving``.
"""
