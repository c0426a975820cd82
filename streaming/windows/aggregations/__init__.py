"""What is computed over a window, one small thing per file: initialize, add, expire, value.

A new one, say the favourite colour of 30 days, is one file here and a line in ``streaming/windows/definitions.py``.
Nothing has to be migrated: what Redis keeps of an entity is the purchases of its window, and states are folded from
them anew. A backlog is read at full speed if it also has ``column``, the values of many windows at once.
"""
