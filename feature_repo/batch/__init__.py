"""From purchase files to Feast's offline tables, correct in time.

``purchase_files`` validates files in Kaggle's H&M layout and writes them as Parquet; ``pipeline`` computes one offline
table per feature view from them, each in a file named for its view. The computation is written as Ibis expressions:
they run on DuckDB here and on Spark where one machine is too small.
"""
