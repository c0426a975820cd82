"""From a customer to candidates, in numpy: who asks, what there is, and the sources that propose.

``customer`` and ``articles`` are the two sides of a request, ``item_index`` finds neighbours of an embedding,
``best_first`` the highest scores, and ``candidates`` unites what ``sources`` propose. The others are what training has
counted in purchases, for sources and features to look up: ``co_occurrence``, ``repeat_purchases``, ``latent_factors``,
and ``source_precision``.
"""
