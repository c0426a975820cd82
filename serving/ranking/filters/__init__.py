"""Which articles a request allows: one file a filter, as ``article_filter`` says, and its line in ``registry``.

``list_filter`` is what those by a list share; ``allowed`` puts a request's filters together against one release.
"""
