"""Taking something away takes away just that, and what is lost shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.base.errors import UserError
from tests.towers.tower_worlds import FIRST_DAY, VOCABULARIES, catalogue, purchases_of_two_styles, snapshot_on
from towers.data.snapshot import Snapshot
from towers.data.training_data import TrainingData
from towers.evaluation.report.ablation import AblationReport, Ranks
from towers.models.article_encoder import EncoderSize
from towers.models.ranker import RankerConfig
from towers.models.two_stage import TwoStageConfig
from towers.training import ablation
from towers.training.ablation import Variant, ablate, choose, pictured_articles, variants
from towers.training.fitted_towers import fit_towers
from towers.training.fitting import FittingConfig
from towers.training.tower_trainer import TowerTraining

QUOTAS = {"bought_again": 10, "same_product": 10, "bought_together": 20, "tower": 20, "trending": 10}
CONFIG = FittingConfig(
    towers=TwoStageConfig(
        embedding_dim=8, query_hidden=(16,), candidate_hidden=(16,), encoder=EncoderSize(content_dim=8)
    ),
    tower_training=TowerTraining(epochs=1, least_steps=10, batch_size=128),
    ranker=RankerConfig(epochs=2, batch_size=512, negatives_per_customer=20),
    quotas=QUOTAS,
)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    shop, purchases = catalogue(), purchases_of_two_styles()
    *past, report = [snapshot_on(shop, FIRST_DAY + day, purchases) for day in range(3, 8)]
    numbers = np.array([int(customer.customer_id) for customer in report.customers], np.int32)
    as_of = date(1970, 1, 1) + timedelta(days=FIRST_DAY + 8)
    return TrainingData(as_of, shop, purchases, VOCABULARIES, past, report, report, numbers, report.take(np.arange(0)))


def changed(variant: Variant, data: TrainingData) -> TrainingData:
    assert variant.data is not None
    return variant.data(data)


def test_a_source_that_is_off_takes_its_candidates_along_and_the_towers_are_trained_once(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trained = []

    def counted(*args: Any) -> Any:
        trained.append(1)
        return fit_towers(*args)

    monkeypatch.setattr(ablation, "fit_towers", counted)
    known = variants(tuple(QUOTAS), tmp_path, seed=1)
    report = ablate(data, CONFIG, [known["without_bought_together"], known["without_tower"]])
    assert len(trained) == 1
    warm = report.candidates["warm"]
    assert max(warm["without_bought_together"], warm["without_tower"]) < warm["everything"]
    # The towers are the same, and so are their own lists.
    lost = report.towers.lead["warm"]["without_tower"]["recall_at_100"]
    assert (lost.low, lost.mean, lost.high) == (0, 0, 0)
    page, path = report.write(tmp_path)
    figures = json.loads(path.read_text())["figures"]
    assert figures["warm.without_tower.map_at_12"]["peer"] == "everything"
    assert figures["warm.lost_without_tower.map_at_12"]["value"] == pytest.approx(
        figures["warm.everything.map_at_12"]["value"] - figures["warm.without_tower.map_at_12"]["value"]
    )
    assert "| without_tower |" in page.read_text()


def embed_pictures_of(images_dir: Path, article_ids: Sequence[str]) -> None:
    """Leave in the cache that these articles have a picture of their own."""
    folder = images_dir / "cache" / "backbone-0123"
    folder.mkdir(parents=True)
    np.savez(folder / "part-0.npz", article_ids=np.array(article_ids))


def test_shuffled_pictures_stay_among_the_pictured(data: TrainingData, tmp_path: Path) -> None:
    content = data.catalogue.content
    images = np.arange(60, dtype=np.float16)[:, None] * np.ones_like(content.images)
    own = replace(data, catalogue=replace(data.catalogue, content=replace(content, images=images)))
    embed_pictures_of(tmp_path, data.catalogue.table.ids[:40])
    known = variants((), tmp_path, seed=1)
    shuffled = changed(known["pictures_shuffled"], own).catalogue.content.images[:, 0]
    assert sorted(shuffled[:40].tolist()) == list(range(40))
    assert (shuffled[:40] != np.arange(40)).sum() > 30
    np.testing.assert_array_equal(shuffled[40:], np.arange(40, 60))
    blank = changed(known["without_pictures"], own).catalogue.content
    assert not blank.images.any()
    np.testing.assert_array_equal(blank.terms, content.terms)
    assert not changed(known["without_text"], own).catalogue.content.terms.any()


def test_without_stream_nothing_of_the_last_30_days_is_left_but_the_history_is(
    data: TrainingData, tmp_path: Path
) -> None:
    blinded = changed(variants((), tmp_path, seed=1)["without_stream"], data)
    assert np.isnan(blinded.test.articles.activity).all()
    assert not np.isnan(data.test.articles.activity_column("units_3d")).any()
    for before, after in zip(data.test.customers, blinded.test.customers, strict=True):
        assert before.bought.tolist() == after.bought.tolist()


def test_only_names_variants(tmp_path: Path) -> None:
    known = variants(("tower",), tmp_path, seed=1)
    assert [variant.name for variant in choose(known, "without_tower, without_text")] == [
        "without_tower",
        "without_text",
    ]
    assert choose(known, None) == list(known.values())
    with pytest.raises(UserError, match="without_everything"):
        choose(known, "without_everything")


def test_pictured_are_the_articles_whose_own_picture_was_embedded(tmp_path: Path) -> None:
    embed_pictures_of(tmp_path, ["0000000002"])
    assert pictured_articles(tmp_path, ["0000000001", "0000000002"]).tolist() == [False, True]


def test_several_report_days_are_kept_from_training_and_measured_together(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(days: Sequence[Snapshot], *others: Any) -> Any:
        seen.append([day.day for day in days])
        return fit_towers(days, *others)

    monkeypatch.setattr(ablation, "fit_towers", watched)
    report = ablate(data, CONFIG, [], report_days=2)
    *past, last = [day.day for day in data.past]
    assert seen == [past]
    assert last < data.report.day
    both = data.past[-1].warm.sum() + data.report.warm.sum()
    assert report.sizes["warm"] == both
    with pytest.raises(UserError, match="leave none"):
        ablate(data, CONFIG, [], report_days=5)


def test_several_fits_have_their_own_seeds_and_are_averaged_customer_by_customer(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ranks_by_seed(_: object, towers: int, config: FittingConfig) -> Ranks:
        assert towers == config.tower_training.seed == config.ranker.seed
        rng, targets = np.random.default_rng(towers), len(data.test.targets.articles)
        return Ranks(*(rng.integers(0, 20, targets).astype(np.int32) for _ in range(3)))

    monkeypatch.setattr(ablation, "fit_towers", lambda *args: args[-1].seed)
    monkeypatch.setattr(ablation._Setting, "_ranks", ranks_by_seed)
    both = ablate(data, CONFIG, [], fits=2)
    alone = [ablate(data, CONFIG.with_seed(CONFIG.seed + fit), []) for fit in range(2)]

    def metrics(report: AblationReport) -> dict[str, float]:
        return {name: figure.value for name, figure in report.figures().items()}

    first, second = map(metrics, alone)
    assert first != second
    assert metrics(both) == pytest.approx({name: (first[name] + second[name]) / 2 for name in first})
