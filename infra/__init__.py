"""What stands around the recommender: its floor, its front door and its stand-ins.

``base`` is the floor that every room stands on; ``cli`` is the ``vitrine`` command, which imports a room only when its
subcommand is called; ``local`` starts real Redis, Kafka and model server on one machine; ``synthetic`` draws a shop
whose best possible ranking is known; ``demo`` builds and shows the whole.
"""
