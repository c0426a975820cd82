"""The ranker's feature groups, one idea a file.

A new one is a new file here with a ``FeatureGroup``, and its line at the end of ``ranking_features.ranking_table``.
"""
