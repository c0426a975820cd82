"""How good a ranking is: exact metrics, the simple rules a shop would use, and one table that compares them all."""
