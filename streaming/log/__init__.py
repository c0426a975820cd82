"""What stays of events outside of Redis: the event log, and the dead letters.

``event_log`` writes each offset once, as Parquet by date (``log_rows``), and ``compaction`` merges its small files.
``dead_letters`` sets bad events aside with their reason; ``dead_letter_replay`` lists them and puts them back.
"""
