"""Purchase files in Kaggle's H&M layout, read and validated: bad rows are named, or set aside.

``purchase_files`` writes them as Parquet; ``file_layouts`` says what they must look like, ``csv_file`` opens them as
shops have them, ``staging`` sorts rows into good and bad, and ``purchase_dates`` judges dates.
"""
