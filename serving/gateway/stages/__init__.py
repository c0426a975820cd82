"""The stages of a call that wait for another process, and what belongs to one call only.

``admission`` says whether a call may begin. ``customer_features`` reads Redis, ``query_embedding`` and ``ranker`` ask
the models; ``deadline`` says how long each may take and ``trace`` notes how long it took and what the answer does
without, ``last_known`` holds what stands in for it. ``pages`` and ``page_cut`` cut an order into pages that continue
each other; ``similar`` is the whole of SimilarArticles.
"""
