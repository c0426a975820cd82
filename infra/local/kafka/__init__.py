"""A real Kafka without an installed Java: pinned jars (``jars``), a Java runtime (``java``), one broker (``server``),
and ``topics``: which there are and how they are kept.
"""
