"""The pure stages of an answer: no deadline, no network, no clock; gateway, warm-up and evaluation walk the same ones.

``pipeline`` puts them in order: ``find_candidates`` through ``filters``, features, ``rerank``; ``reasons`` says why an
article is shown. ``ranking_features`` packs the ranker's inputs, of which ``category_features``, ``taste_features`` and
``request_features`` compute groups; ``query_features`` are the query tower's inputs.
"""
