"""How good a release is, against what.

Rows (``rows``) are ranked for every customer of a day, measured (``metrics``) on slices (``slices``) with intervals
(``bootstrap``) and compared, paired (``comparison``). ``peers`` are what others would show, ``known_best``
what nobody can beat, where a drawn shop is handed in with it; Vitrine's own row goes
through the gateway's stages, and the gateway itself, asked for the same customers, must give the same table
(``served``). ``evaluate`` puts it together into an ``evaluation``, which ``report`` shows and writes.
"""
