"""The service that answers ``vitrine.v1.Recommender``: one asyncio process, eight stages a request.

``recommend`` shows the stages in order; each has a file of its own. ``releases`` and ``article_state`` keep, beside the
requests, what the stages read: the models' release and the live state of its articles. ``server`` puts it on the wire.
"""
