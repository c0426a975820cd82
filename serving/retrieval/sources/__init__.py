"""The candidate sources: each a small class with one method, ``propose``, fitted from purchases before a day and stored
in the release. Every source tells how much it likes each article it proposes; the ranker weighs them.
"""
