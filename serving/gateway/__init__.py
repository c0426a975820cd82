"""The service that answers ``vitrine.v1.Recommender``: one asyncio process, eight stages a request.

``service`` is the wire, ``requests`` checks what was asked, ``recommend`` shows the stages in order. ``stages`` has
those that wait for somebody, with their deadline; the others are ``serving.ranking``'s. ``state`` keeps, beside the
requests, what they read; ``interactions`` takes what was shown and done to Kafka. ``server`` puts it together and
``workers`` starts it several times.
"""
