"""Which articles a request allows: one file a filter, as ``article_filter`` says, and its line in ``registry``.

``allowed`` puts a request's filters together against one release.
"""
