"""From validated purchases to Feast's offline tables, correct in time.

``pipeline`` computes one offline table per feature view, each in a file named for its view, from the purchases that
``files`` and the event log hold (``purchases``). A 30-day window is a sweep over ``change_points``; ``offline_table``
gives rows Feast's columns; ``as_of`` refuses days at which nothing was known. The computation is written as Ibis
expressions: they run on DuckDB here (``engine``) and on Spark where one machine is too small.
"""
