"""The towers' training pairs: who bought what on which day, with everything as it was known that morning.

A pair is a customer and an article bought on a day. Two kinds are made of every day: *next purchases*, where the query
sees the customer's last articles as of the morning, and *baskets*, where it sees the other articles of the same day, as
it will when a purchase has just streamed in. Both together find half as much again as next purchases alone.

Only products that are new to the customer are targets: what was bought before, and other colours of it, have sources of
their own that no tower can beat, and would teach the towers nothing but likeness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.ranking.query_features import query_inputs
from serving.retrieval.customer import RECENT_PURCHASES
from towers.data.snapshot import Snapshot


@dataclass(frozen=True)
class TrainingSet:
    """Pairs of all training days, packed: queries are stored once, pairs point at them."""

    numeric: npt.NDArray[np.float32]  # [queries, columns] raw, NaN = missing
    categories: npt.NDArray[np.int32]  # [queries, categories]
    query: npt.NDArray[np.int32]  # [pairs] row of ``numeric`` and ``categories``
    recent: npt.NDArray[np.int32]  # [pairs, RECENT_PURCHASES] positions, newest first, -1 = none
    recent_age_days: npt.NDArray[np.float16]  # [pairs, RECENT_PURCHASES]
    article: npt.NDArray[np.int32]  # [pairs] what was bought
    day: npt.NDArray[np.int32]  # [pairs] index among the training days

    def __len__(self) -> int:
        return len(self.article)


def make_training_set(
    snapshots: Sequence[Snapshot], vocabularies: Mapping[str, Mapping[str, int]], rng: np.random.Generator
) -> TrainingSet:
    """Make the pairs of some days.

    Args:
        snapshots: the shop on the morning of each training day with what was bought that day.
        vocabularies: of the query tower's categories.
        rng: shuffles baskets, whose order means nothing.
    """
    parts: list[TrainingSet] = []
    queries = 0
    for index, snapshot in enumerate(snapshots):
        if len(snapshot.customers):
            parts.append(_pairs_of_day(snapshot, index, queries, vocabularies, rng))
            queries += len(snapshot.customers)

    def joined(name: str) -> npt.NDArray:
        return np.concatenate([getattr(part, name) for part in parts])

    return TrainingSet(**{name: joined(name) for name in TrainingSet.__dataclass_fields__})


def _pairs_of_day(
    snapshot: Snapshot,
    day_index: int,
    first_query: int,
    vocabularies: Mapping[str, Mapping[str, int]],
    rng: np.random.Generator,
) -> TrainingSet:
    inputs = query_inputs(snapshot.customers, vocabularies)
    product, targets = snapshot.articles.product, snapshot.targets
    new = [
        basket[~np.isin(product[basket], product[customer.bought])]
        for customer, basket in zip(snapshot.customers, np.split(targets.articles, targets.offsets[1:-1]), strict=True)
    ]
    owner = np.repeat(np.arange(len(new)), [len(basket) for basket in new])
    baskets, basket_ages, basket_owner, basket_article = [], [], [], []
    for row, basket in enumerate(new):
        for article in basket if len(basket) > 1 else ():
            others = rng.permutation(basket[product[basket] != product[article]])[:RECENT_PURCHASES]
            if not len(others):
                continue
            older = RECENT_PURCHASES - len(others)
            baskets.append(np.concatenate([others, inputs.recent[row, :older]]))
            basket_ages.append(np.concatenate([np.zeros(len(others)), inputs.recent_age_days[row, :older]]))
            basket_owner.append(row)
            basket_article.append(article)
    shape = (len(baskets), RECENT_PURCHASES)
    owners = np.concatenate([owner, np.asarray(basket_owner, np.int64)])
    return TrainingSet(
        numeric=inputs.numeric,
        categories=inputs.categories,
        query=(first_query + owners).astype(np.int32),
        recent=np.concatenate([inputs.recent[owner], np.reshape(baskets, shape)]).astype(np.int32),
        recent_age_days=np.concatenate([inputs.recent_age_days[owner], np.reshape(basket_ages, shape)]).astype(
            np.float16
        ),
        article=np.concatenate([*new, np.asarray(basket_article, np.int32)]).astype(np.int32),
        day=np.full(len(owners), day_index, np.int32),
    )
