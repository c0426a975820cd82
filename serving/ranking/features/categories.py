"""How much of what the customer bought is of a candidate's kind, and whether the last purchase is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs

SHARE_CATEGORIES = (
    "product_type_name",
    "product_group_name",
    "graphical_appearance_name",
    "colour_group_name",
    "perceived_colour_master_name",
    "department_name",
    "index_name",
    "index_group_name",
    "section_name",
    "garment_group_name",
)


class _Codes(NamedTuple):
    candidates: dict[str, npt.NDArray[np.int32]]  # category -> [m]
    bought: dict[str, npt.NDArray[np.int32]]  # category -> [k], newest first
    sizes: dict[str, int]  # category -> how many codes there are
    weight: npt.NDArray[np.float64]  # [k] share of the customer's purchases

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Codes:
        customer, articles = inputs.customer, inputs.articles
        codes = {name: articles.category(name) for name in SHARE_CATEGORIES} if customer.has_history else {}
        return cls(
            {name: of_all[inputs.positions] for name, of_all in codes.items()},
            {name: of_all[customer.bought] for name, of_all in codes.items()},
            {name: len(articles.vocabularies[name]) for name in codes},
            customer.bought_times / max(int(customer.bought_times.sum()), 1),
        )

    @property
    def empty(self) -> bool:
        """Whether the customer has bought nothing; there are no codes then."""
        return self.weight.size == 0


def _share(category: str) -> Callable[[_Codes], Column]:
    def share(codes: _Codes) -> Column:
        if codes.empty:
            return math.nan
        by_code = np.bincount(codes.bought[category], codes.weight, codes.sizes[category])
        return by_code[codes.candidates[category]]

    return share


def _same_as_last(category: str) -> Callable[[_Codes], Column]:
    return lambda codes: 0.0 if codes.empty else codes.candidates[category] == codes.bought[category][0]


CATEGORY_SHARES = FeatureGroup[RankingInputs, _Codes](
    _Codes.of,
    {
        **{f"share_{category}": _share(category) for category in SHARE_CATEGORIES},
        **{f"last_purchase_same_{category}": _same_as_last(category) for category in SHARE_CATEGORIES},
    },
)
