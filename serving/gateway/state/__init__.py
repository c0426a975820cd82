"""What the gateway follows beside its requests, so that a request finds it in memory.

``active_releases`` holds the releases that serve, each until its last answer is made; ``article_state`` keeps the live
columns of their articles: ``article_changes`` names which have changed, ``article_rows`` reads them.
``watermark_clock`` is the stream's time where that is the clock; ``known_articles`` are those that an interaction may
name; ``cluster_reader`` reads customers from a Redis Cluster.
"""
