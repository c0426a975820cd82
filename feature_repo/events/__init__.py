"""What a good event is, for all who write or read one: gateway, worker, bootstrap and replay.

``rules`` checks events and names what is wrong; ``purchase`` is one as it is handed on; ``catalogue`` knows the
articles there are.
"""
