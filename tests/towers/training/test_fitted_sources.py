"""Sources know what was bought before their day, and are fitted once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from serving.retrieval.latent_factors import LatentFactors
from serving.retrieval.sources.registry import SOURCE_NAMES
from tests.towers.tower_worlds import FIRST_DAY, VOCABULARIES, catalogue, purchases_of_two_styles, snapshot_on
from towers.data.folds import fold
from towers.data.purchase_log import PurchaseLog
from towers.data.training_data import Shop
from towers.training.fitted_sources import FittedSources, FittedSourcesByDay

DAY = FIRST_DAY + 5


def kept(fitted: FittedSources, folder: Path) -> dict[str, bytes]:
    """Everything that its sources learned, by file."""
    for name, source in fitted.sources.items():
        source.save(folder / name)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_bought_on_the_day_or_later_changes_nothing(tmp_path: Path) -> None:
    shop, purchases = catalogue(), purchases_of_two_styles()
    today = snapshot_on(shop, DAY, purchases)

    def fitted(known: PurchaseLog, folder: str) -> tuple[LatentFactors, dict[str, bytes]]:
        made = FittedSourcesByDay(Shop(shop, known, VOCABULARIES), SOURCE_NAMES).of(today)
        assert made.articles.latent_factors is not None
        return made.articles.latent_factors, kept(made, tmp_path / folder)

    tastes, sources = fitted(purchases, "all")
    same_tastes, same_sources = fitted(purchases.before(DAY), "before")
    other_tastes, other_sources = fitted(purchases.before(DAY - 1), "earlier")
    assert sources == same_sources
    assert sources.keys() == other_sources.keys()
    assert sources != other_sources
    for field in fields(LatentFactors):
        np.testing.assert_array_equal(getattr(tastes, field.name), getattr(same_tastes, field.name))
    assert not np.array_equal(tastes.vectors, other_tastes.vectors)


def test_a_day_is_fitted_once_for_whichever_customers() -> None:
    shop, purchases = catalogue(), purchases_of_two_styles()
    sources_by_day = FittedSourcesByDay(Shop(shop, purchases, VOCABULARIES), SOURCE_NAMES)
    today, yesterday = (snapshot_on(shop, day, purchases) for day in (DAY, DAY - 1))
    assert sources_by_day.of(fold(today, 0)) is sources_by_day.of(fold(today, 1))
    assert sources_by_day.of(yesterday) is not sources_by_day.of(today)
