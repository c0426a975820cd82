"""The process that streams: one of a consumer group, on any number of hosts.

``worker`` is its round, set by ``options``; ``purchase_stream`` the heart of it, without Kafka around, on the
``entity_tools`` of customers and articles; ``availability`` the same for stock.
``group``, ``assignor`` and ``assigned_partitions`` say which partitions it reads and from where; ``topic_identity``
notices topics that were made anew. ``processes`` runs it, ``metrics`` and ``status`` tell how it is.
"""
