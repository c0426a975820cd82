"""From a customer to candidates, in numpy: who asks, what there is, and the sources that propose.

``customer`` and ``articles`` are the two sides of a request, ``item_index`` finds neighbours of an embedding, and
``candidates`` unites what ``sources`` propose. The others are what sources and features know from purchases
(``purchase_log``): what goes together, what is bought again, latent tastes, and how often each source is right.
"""
