"""The online store at full speed: reads and writes Feast's own Redis format without importing Feast.

``keys`` knows where a value is, ``format`` the bytes of values and event times; ``entity_values`` turns one HMGET
reply into the features of a customer or an article. For many rows at once, ``numeric_columns`` decodes and
``column_encoding`` encodes the same bytes; ``writer`` loads them.
``redis_pipe`` and ``cluster_pipe`` take packed commands to one Redis or to the masters of a Redis Cluster, found by
``cluster_slots``; ``feast_store`` is Feast's own way there.
What is written here is readable by stock Feast, bit for bit, and the other way round; tests hold it to that.
"""
