"""Why and when the synthetic shop's customers buy: who they are (``customers``), what season and fashion do to demand
(``seasons_and_trends``), what an article is worth to them (``utility``), and the purchases drawn from it
(``purchases``, with ``history``).
"""
