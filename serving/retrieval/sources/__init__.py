"""The candidate sources, one file each: what ``source`` says a source is, fitted to purchases before a day and stored
in the release. ``registry`` lists them. Every source tells how much it likes each article it proposes; the ranker
weighs them. ``neighbours``, ``best_sellers`` and ``searched_articles`` are what several of them share.
"""
