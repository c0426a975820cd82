"""The pure stages of an answer: no deadline, no network, no clock; gateway, warm-up and evaluation walk the same ones.

``pipeline`` puts them in order: ``find_candidates`` through ``filters``, with what ``request_sources`` bring, features,
``rerank``; ``attribution`` tells which source an article is shown for, and ``reasons`` why. ``ranking_features`` packs
the ranker's inputs out of the groups in ``features``, one idea a file, each a ``feature_group`` over what
``ranking_inputs`` has looked up; ``query_features`` are the query tower's inputs.
"""
