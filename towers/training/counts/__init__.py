"""What training counts in the purchases before a day, for the release to hold: serving looks up and never counts.

``past_shop`` is what candidate sources are fitted to, by way of ``purchase_pairs`` and ``basket_votes``;
``article_counts`` adds ``co_occurrence`` and repeat purchases (``repeat_rates``, ``repeat_chances``) to the articles;
``source_precision`` counts how often sources are right. ``shrinkage`` is how all of them trust small numbers.
"""
