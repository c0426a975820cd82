"""What is learned from, every bit of it as it was known at the start of a day.

``point_in_time`` joins features by Feast into ``snapshot``s of days with their ``targets``; ``purchases`` (into a
``purchase_log``) and ``catalogue`` read the tables; ``training_data`` opens all of it once. From these come the towers'
pairs (``training_set``) and the ranker's rows (``ranking_set``, with ``heldout_baskets``), by ``negatives`` and
``folds``. ``preprocessing``, ``article_terms`` and ``content_columns`` make numbers of it.
"""
