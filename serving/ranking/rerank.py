"""Stage 7: the order that is shown: the ranker's, but not twelve colours of one shirt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ShopRules:
    """How much variety is asked of the first places. Mild: what a shopper likes most stays first."""

    first_places: int = 12  # the rules hold for so many; behind them the ranker's order stands
    articles_of_a_product: int = 3  # colours of one product among them that the customer does not have
    likeness_penalty: float = 0.05  # an article identical to a shown one counts for 1 - this of its score
    pool: int = 60  # how far down the ranker's order a place may be filled from


def rerank(
    scores: npt.NDArray[np.float32],
    positions: npt.NDArray[np.int32],
    products: npt.NDArray[np.int32],
    vectors: npt.NDArray[np.float32],
    owned: npt.NDArray[np.bool_],
    rules: ShopRules,
) -> npt.NDArray[np.intp]:
    """Order candidates for showing.

    Each of the first places goes to the highest score after a penalty for likeness to those shown above it (maximal
    marginal relevance, Carbonell and Goldstein 1998, as a factor so that it means the same at any scale of scores).

    Args:
        scores: [m], positive.
        positions: [m], settles ties, so that answers repeat.
        products: [m] articles of one product share a number.
        vectors: [m, d] item vectors, L2-normalised.
        owned: [m] what the customer has bought before. It is shown to be bought again, not for variety, and counts for
            no product. (H&M, 2020-09-18 and 19: recall at 12 is .278 and .284 where it counts, .288 and .286 where it
            does not, .288 and .290 without the rule; 9.0 and 8.8, 8.7 and 8.4, 8.2 and 7.9 products are in 12 places.)

    Returns:
        Indexes into the candidates, best first, [m].
    """
    order = np.lexsort((positions, -scores))
    pool = order[: rules.pool]
    left = np.ones(pool.size, np.bool_)
    likeness = np.zeros(pool.size, np.float32)
    pool_scores, pool_vectors, pool_products, pool_owned = scores[pool], vectors[pool], products[pool], owned[pool]
    shown_of_product: dict[int, int] = {}
    shown: list[int] = []
    for _ in range(min(rules.first_places, pool.size)):
        worth = np.where(left, pool_scores * (1 - rules.likeness_penalty * likeness), -1.0)
        best = int(worth.argmax())
        if not left[best]:
            break  # all that is left in the pool is of products shown often enough
        shown.append(best)
        left[best] = False
        np.maximum(likeness, pool_vectors @ pool_vectors[best], out=likeness)
        if pool_owned[best]:
            continue
        product = int(pool_products[best])
        shown_of_product[product] = shown_of_product.get(product, 0) + 1
        if shown_of_product[product] >= rules.articles_of_a_product:
            left &= (pool_products != product) | pool_owned
    rest = np.ones(pool.size, np.bool_)
    rest[shown] = False
    return np.concatenate([pool[shown], pool[rest], order[rules.pool :]])
