"""What the request itself brings in, beside the release's sources: articles that belong to the one being looked at
(``viewed_article``), those asked for (``listed``), and best sellers where too few are left (``popular``). One file and
one line in ``registry`` each, as ``request_source`` says; the ranker has no columns of theirs.
"""
