"""Pictures for people: what the shop recommends, what the embeddings see, how training went.

Each module draws one kind of picture from plain values and writes one file; nothing here computes a figure.
"""
