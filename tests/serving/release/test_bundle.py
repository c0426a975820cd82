"""A release bundle comes back as it was written, whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infra.base.errors import UserError
from serving.ranking.query_features import QUERY_CATEGORIES, QUERY_NUMERIC
from serving.ranking.ranking_features import ranking_feature_names
from serving.release.manifest import MODELS, Manifest, SourceQuota
from serving.release.reader import Release
from serving.release.writer import ReleaseContent, write_release
from serving.retrieval.candidates import collect
from serving.retrieval.customer import Customer
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.source import Quota, RetrievalQuery
from serving.retrieval.sources.trending import TrendingSource
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = shop([3, 2, 1])


def content(number: int = 7) -> ReleaseContent:
    together = BoughtTogetherSource(np.asarray([[1], [0], [-1]], np.int32), np.asarray([[0.5], [0.5], [0]], np.float32))
    quotas = (Quota(together, 5), Quota(TrendingSource(), 2))
    manifest = Manifest(
        release=number,
        as_of="2020-09-20",
        created_at="2020-09-20T00:00:00+00:00",
        seed=1,
        articles=3,
        embedding_dim=3,
        temperature=0.1,
        prior_weight=1.0,
        sources=(SourceQuota("bought_together", 5, (0.5, 0.25)), SourceQuota("trending", 2)),
        query_numeric=QUERY_NUMERIC,
        query_categories={name: ["", "ACTIVE"] for name in QUERY_CATEGORIES},
        ranking_features=ranking_feature_names(tuple(quota.source.name for quota in quotas)),
        image_backbone="none",
        metrics={"map_at_12": 0.5},
    )

    def export(folder: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"model")

    models = dict.fromkeys(MODELS, export)
    return ReleaseContent(manifest, ARTICLES, np.eye(3, dtype=np.float32), quotas, models, {}, {"map_at_12": 0.5})


def test_a_release_answers_the_same_after_a_round_trip(tmp_path):
    written = content()
    release = Release.open(write_release(tmp_path, written))
    assert release.number == 7
    assert release.as_of_day == TODAY
    assert list(release.articles.ids) == list(ARTICLES.ids)
    together, trending = release.quotas
    assert together.precision is not None
    assert together.precision.tolist() == [0.5, 0.25]
    assert trending.precision is None
    assert release.query_vocabularies["club_member_status"] == {"": 0, "ACTIVE": 1}
    customer = Customer.from_values("c", bought(("0000000001", 1)), release.articles, TODAY)
    before = collect(RetrievalQuery(customer, ARTICLES), written.quotas)
    after = collect(RetrievalQuery(customer, release.articles), release.quotas)
    assert after.positions.tolist() == before.positions.tolist()
    np.testing.assert_array_equal(after.scores, before.scores)


def test_the_manifest_knows_the_hash_of_every_file(tmp_path):
    folder = write_release(tmp_path, content())
    manifest = Manifest.read(folder)
    manifest.verify(folder)
    on_disk = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"manifest.json"}
    assert set(manifest.files) == on_disk
    (folder / "models" / "ranker" / "saved_model.pb").write_bytes(b"another")
    with pytest.raises(UserError, match=r"ranker/saved_model.pb has changed"):
        manifest.verify(folder)


def test_a_release_never_changes(tmp_path):
    write_release(tmp_path, content())
    with pytest.raises(UserError, match="take the next number"):
        write_release(tmp_path, content())


@pytest.mark.parametrize("broken", [np.nan, np.inf, 0.5])
def test_item_vectors_that_are_not_of_length_one_are_refused(tmp_path, broken):
    vectors = np.eye(3, dtype=np.float32)
    vectors[1, 1] = broken
    with pytest.raises(ValueError, match="L2-normalised"):
        write_release(tmp_path, replace(content(), item_vectors=vectors))


def test_a_writer_that_fails_leaves_no_release(tmp_path):
    def broken(folder: Path) -> None:
        raise OSError("disk full")

    failing = replace(content(), models=dict.fromkeys(MODELS, broken))
    with pytest.raises(OSError, match="disk full"):
        write_release(tmp_path, failing)
    assert not (tmp_path / "7").exists()
    write_release(tmp_path, content())


def test_a_release_made_for_other_features_is_refused(tmp_path):
    written = content()
    other = replace(written, manifest=replace(written.manifest, ranking_features=("something_else",)))
    with pytest.raises(UserError, match="other ranking features"):
        Release.open(write_release(tmp_path, other))


def test_a_missing_release_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match="vitrine train"):
        Release.open(tmp_path / "9")
