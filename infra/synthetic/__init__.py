"""A synthetic shop in the layout of the Kaggle files: catalogue, customers, purchases and drawn pictures, from a seed.

Purchases follow a known utility (``utility.py``), so the best achievable score is known: ``oracle.py`` ranks by it, and
``known_best.py`` hands it to evaluation.
``shop.py`` shows the whole in order.
"""
