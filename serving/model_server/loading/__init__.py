"""Versions of a model, from a folder on disk to one that serves, and out of memory again.

``version_policy`` says which of a base path's folders are wanted, ``versions`` loads and unloads them and knows their
states, ``load_retries`` when a failed one is tried again, ``servable`` is a SavedModel that answers, ``warmup`` runs
the requests that it brings along.
"""
