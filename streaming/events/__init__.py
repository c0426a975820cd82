"""Purchases on their way: sent (``producer``), parsed (``parsing``, fast by ``purchase_parser``), and many at once side
by side (``purchase_columns``). What a good event is, ``feature_repo.events`` says.
"""
