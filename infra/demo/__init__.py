"""``make demo`` and ``make up``: the whole system built from purchase files and shown at work, on real parts."""
