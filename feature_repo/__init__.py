"""The features: what they are, how they are computed, and where they are kept.

``schema`` is the one table of views and features. ``definitions`` makes Feast's objects from it and ``store`` opens
Feast with them. ``files`` reads a shop's purchase files and ``events`` says what a good event is; ``batch`` computes
the offline tables, correct in time; ``materialize`` loads them into the online store, which ``online`` reads and writes
in Feast's own format. ``provider``, ``registry_store``, ``stream_views`` and ``loaded_intervals`` make Feast's own
commands do the same.
"""
