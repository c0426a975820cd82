"""Shops unlike the one that everybody has in mind are learned from and served, or it is said what they lack."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from feature_repo.store import open_store
from infra.base.errors import UserError
from infra.base.settings import Settings
from infra.demo.preparation import prepare
from serving.release.reader import Release
from tests.odd_shops import ODD_SHOPS, OddShop
from towers.evaluation.metrics import NO_ARTICLE
from towers.evaluation.report.metrics_json import as_json
from towers.evaluation.served.order import SERVED, rank_candidates
from towers.models.article_encoder import EncoderSize
from towers.models.ranker import RankerConfig
from towers.models.two_stage import TwoStageConfig
from towers.training import pipeline
from towers.training.fitting import FittingConfig
from towers.training.pipeline import TrainOptions
from towers.training.tower_trainer import TowerTraining

FITTING = FittingConfig(
    towers=TwoStageConfig(
        embedding_dim=8, query_hidden=(8,), candidate_hidden=(8,), encoder=EncoderSize(content_dim=8)
    ),
    tower_training=TowerTraining(epochs=1, least_steps=0),
    ranker=RankerConfig(hidden=(8,), members=1, epochs=1),
)
WITH_ENOUGH = ["everybody comes once", "nobody ever buys anything new", "one article", "two days"]
"""Each can break something of its own; a fit takes seconds, so shops that are odd in a like way are left out."""


def opened(shop: OddShop, folder: Path) -> tuple[Settings, TrainOptions]:
    settings = Settings(folder / "var")
    prepared = prepare(settings, shop.write(folder / "data"))
    return settings, TrainOptions(prepared.as_of, fitting=FITTING)


@pytest.mark.parametrize("name", WITH_ENOUGH)
def test_everybody_is_shown_articles_and_what_was_measured_is_made_of_numbers(name: str, tmp_path: Path) -> None:
    shop = ODD_SHOPS[name]
    settings, options = opened(shop, tmp_path)
    data = pipeline.open_options(settings, open_store(settings), options)
    assert not data.catalogue.content.images.any()
    fitted, evaluation = pipeline.fit_and_measure(data, options)

    shown = rank_candidates(fitted.retrieval(data.test), fitted.ranker.scores, {})
    assert np.isfinite(shown.scores).all()
    for articles in shown.rankings[SERVED]:
        known = articles[articles != NO_ARTICLE]
        assert len(known) == len(np.unique(known)) == min(shop.articles, 100)
    json.dumps(as_json(evaluation), allow_nan=False)
    assert 0 <= evaluation.table["all"]["vitrine"]["recall_at_12"] <= 1
    assert evaluation.achievable_share("warm") is None  # only a synthetic shop has an oracle, and this one nobody warm

    if name in ("one article", "nobody ever buys anything new"):  # towers and curves without anything to learn from
        pipeline.write_curves(settings, fitted, 1)
        written = pipeline.write(settings, 1, data, options, fitted, evaluation)
        assert np.isfinite(Release.open(written.folder).index.vectors).all()


@pytest.mark.parametrize("name", ["one day", "one purchase"])
def test_a_shop_of_one_day_is_told_so_by_its_date(name: str, tmp_path: Path) -> None:
    settings, options = opened(ODD_SHOPS[name], tmp_path)
    with pytest.raises(
        UserError, match="all purchases before 2020-08-25 are of 2020-08-24; training takes purchases of"
    ):
        pipeline.train(settings, open_store(settings), 1, options, include_report_day=True)


def test_training_does_not_take_a_day_still_to_come(tmp_path: Path) -> None:
    settings, options = opened(ODD_SHOPS["two days"], tmp_path)
    with pytest.raises(UserError, match="--as-of 2099-01-01 is still to come"):
        pipeline.open_options(settings, open_store(settings), replace(options, as_of=date(2099, 1, 1)))
