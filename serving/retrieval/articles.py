"""The catalogue as the gateway holds it: one row an article, columns by position, live columns updated in place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_SALES
from serving.retrieval.co_occurrence import CoOccurrence
from serving.retrieval.latent_factors import GROUP, LatentFactors
from serving.retrieval.repeat_purchases import RepeatPurchases

CATEGORIES = (
    "product_type_name",
    "product_group_name",
    "graphical_appearance_name",
    "colour_group_name",
    "perceived_colour_value_name",
    "perceived_colour_master_name",
    "department_name",
    "index_name",
    "index_group_name",
    "section_name",
    "garment_group_name",
)
SALES_COLUMNS = tuple(feature.name for feature in ARTICLE_SALES.features)
# The instant of the last sale is held as a day: microseconds since 1970 do not fit a float32.
ACTIVITY_COLUMNS = tuple(
    "last_sale_day" if feature.name == "last_sale_at" else feature.name for feature in ARTICLE_ACTIVITY_30D.features
)

_UNITS_3D = ACTIVITY_COLUMNS.index("units_3d")
_SALES = {name: column for column, name in enumerate(SALES_COLUMNS)}
_ACTIVITY = {name: column for column, name in enumerate(ACTIVITY_COLUMNS)}
_CATEGORY = {name: column for column, name in enumerate(CATEGORIES)}


def float32_remainders(exact: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """What a float32 of these numbers leaves out, 0 where they are missing."""
    return np.nan_to_num(exact - exact.astype(np.float32)).astype(np.float32)


def without_empty_windows(activity: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Rows [m, len(ACTIVITY_COLUMNS)] in which a window that has emptied is missing, like one that never began.

    Batch and a window that falls in the stream leave zeros, a store loaded anew holds nothing; models must not see
    which of these it was.
    """
    empty = activity[:, _ACTIVITY["units"]] == 0
    return np.where(empty[:, None], np.float32(np.nan), activity)


@dataclass(frozen=True)
class SalesTotals:
    """Units of the last 3 days, summed."""

    shop: float
    by_department: npt.NDArray[np.float32]  # [department codes]
    by_product: npt.NDArray[np.float32]  # [products]
    by_group: npt.NDArray[np.float32]  # [index group codes]


@dataclass
class ArticleTable:
    """All articles of one release, in index order.

    ``activity`` and ``in_stock`` are live: the gateway overwrites rows when purchases or stock change.

    Attributes:
        is_followed: a thread follows the live columns, and works out anew what depends on them.
    """

    ids: Sequence[str]  # [n]
    names: npt.NDArray[np.bytes_]  # [n] UTF-8
    product: npt.NDArray[np.int32]  # [n] articles of one product share a number
    categories: npt.NDArray[np.int32]  # [n, len(CATEGORIES)] index into the vocabulary, 0 = unknown
    vocabularies: dict[str, list[str]]  # category -> values, "" first
    sales: npt.NDArray[np.float32]  # [n, len(SALES_COLUMNS)] NaN = missing
    activity: npt.NDArray[np.float32]  # [n, len(ACTIVITY_COLUMNS)] NaN = missing
    in_stock: npt.NDArray[np.bool_]  # [n]
    # [n, 2] remainders of the mean prices, of 30 days (live) and of all time: a float32 is exact up to 16.7 units only.
    price_remainders: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    # What purchases before the table's day tell: which categories go together, what is bought again, what sets
    # customers apart.
    co_occurrence: CoOccurrence | None = None
    repeat_purchases: RepeatPurchases | None = None
    latent_factors: LatentFactors | None = None
    position: dict[str, int] = field(init=False, repr=False)
    activity_version: int = field(default=0, init=False)
    is_followed: bool = field(default=False, init=False)
    _totals: tuple[int, SalesTotals] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.position = {article_id: position for position, article_id in enumerate(self.ids)}
        if len(self.price_remainders) == 0:
            self.price_remainders = np.zeros((len(self), 2), np.float32)

    def __len__(self) -> int:
        return len(self.ids)

    def is_as_in(self, version: int) -> bool:
        """Whether what was worked out at that version still holds; where the table is followed, others see to it."""
        return self.is_followed or version == self.activity_version

    def name(self, position: int) -> str:
        """The product's name, for a person to read."""
        return self.names[position].decode()

    def category(self, name: str) -> npt.NDArray[np.int32]:
        """Vocabulary indexes of one category, [n]."""
        return self.categories[:, _CATEGORY[name]]

    def category_value(self, name: str, position: int) -> str:
        """The category's value of one article as text."""
        return self.vocabularies[name][self.categories[position, _CATEGORY[name]]]

    def sales_column(self, name: str) -> npt.NDArray[np.float32]:
        """One column of the view ``article_sales``, [n]."""
        return self.sales[:, _SALES[name]]

    def activity_column(self, name: str) -> npt.NDArray[np.float32]:
        """One column of the view ``article_activity_30d``, [n], live."""
        return self.activity[:, _ACTIVITY[name]]

    def prices_micros(self, positions: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        """Mean price of the last 30 days, else of all time, in whole millionths, [m]; NaN for articles never sold."""
        remainders = self.price_remainders[positions].astype(np.float64)
        recent = self.activity_column("mean_price_micros")[positions] + remainders[:, 0]
        usual = self.sales_column("price_mean_micros")[positions] + remainders[:, 1]
        return np.rint(np.where(np.isnan(recent), usual, recent))

    @property
    def units_3d(self) -> npt.NDArray[np.float32]:
        """Units sold in the last 3 calendar days, [n], live, missing as 0."""
        return np.nan_to_num(self.activity[:, _UNITS_3D])

    @property
    def totals_3d(self) -> SalesTotals:
        """Sums of ``units_3d``, live."""
        kept = self._totals
        if kept is None or not self.is_as_in(kept[0]):
            kept = self.refresh_totals()
        return kept[1]

    def refresh_totals(self) -> tuple[int, SalesTotals]:
        """Sum anew."""
        version, units = self.activity_version, self.units_3d
        totals = SalesTotals(
            float(units.sum()),
            np.bincount(self.category("department_name"), units).astype(np.float32),
            np.bincount(self.product, units).astype(np.float32),
            np.bincount(self.category(GROUP), units).astype(np.float32),
        )
        self._totals = version, totals
        return self._totals

    def positions(self, article_ids: Sequence[str]) -> npt.NDArray[np.int32]:
        """Positions of articles, -1 for those the release does not know."""
        position = self.position
        return np.fromiter((position.get(a, -1) for a in article_ids), np.int32, len(article_ids))

    def update_activity(
        self,
        positions: npt.NDArray[np.int32],
        rows: npt.NDArray[np.float32],
        price_remainders: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """Overwrite the live columns of some articles.

        Args:
            rows: [m, len(ACTIVITY_COLUMNS)].
            price_remainders: [m] what the mean prices among them leave out; nothing by default.
        """
        self.activity[positions] = without_empty_windows(rows)
        self.price_remainders[positions, 0] = 0 if price_remainders is None else price_remainders
        self.activity_version += 1

    def save(self, folder: Path) -> None:
        """Write one file a column block."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "ids.npy", np.asarray([a.encode() for a in self.ids], dtype="S"))
        np.save(folder / "names.npy", self.names)
        np.save(folder / "product.npy", self.product)
        np.save(folder / "categories.npy", self.categories)
        np.save(folder / "sales.npy", self.sales)
        np.save(folder / "activity.npy", self.activity)
        np.save(folder / "price_remainders.npy", self.price_remainders)
        if self.co_occurrence is not None:
            self.co_occurrence.save(folder)
        if self.repeat_purchases is not None:
            self.repeat_purchases.save(folder)
        if self.latent_factors is not None:
            self.latent_factors.save(folder / "tastes.npz")
        (folder / "vocabularies.json").write_text(json.dumps(self.vocabularies, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path) -> ArticleTable:
        """Read what :meth:`save` wrote; every article starts in stock."""
        ids = [a.decode() for a in np.load(folder / "ids.npy")]
        remainders = folder / "price_remainders.npy"  # older releases have none
        return cls(
            ids=ids,
            names=np.load(folder / "names.npy"),
            product=np.load(folder / "product.npy"),
            categories=np.load(folder / "categories.npy"),
            vocabularies=json.loads((folder / "vocabularies.json").read_text()),
            sales=np.load(folder / "sales.npy"),
            activity=np.load(folder / "activity.npy"),
            in_stock=np.ones(len(ids), dtype=np.bool_),
            price_remainders=np.load(remainders) if remainders.exists() else np.empty((0, 2), np.float32),
            co_occurrence=CoOccurrence.load(folder),
            repeat_purchases=RepeatPurchases.load(folder),
            latent_factors=LatentFactors.load(folder / "tastes.npz"),
        )
