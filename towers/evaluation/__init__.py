"""How good a release is, against what.

Rows (``rows``) are ranked for every customer of a day, measured (``metrics``) on slices (``slices``) with intervals
(``bootstrap``) and compared, paired (``comparison``). Vitrine's own row goes through the gateway's functions
(``served_order``), so that the gateway itself, asked for the same customers (``served``), must give the same table.
``evaluate`` puts it together, ``evaluation`` shows and writes it.
"""
