"""A release is fitted to the shop of two styles, exported and opened again: what is served is what was trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from infra.base.errors import UserError
from serving.ranking.query_features import QueryInputs, query_inputs
from serving.retrieval.customer import RECENT_PURCHASES
from serving.retrieval.sources.registry import SOURCE_NAMES, source_class
from tests.towers.tower_worlds import (
    FIRST_DAY,
    VOCABULARIES,
    catalogue,
    purchases_of_two_styles,
    snapshot_on,
    style_of,
)
from towers.data.ranking_set import Retrieval
from towers.data.snapshot import Snapshot
from towers.data.training_data import Shop
from towers.evaluation.evaluate import evaluate
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.report.files import write_report
from towers.evaluation.report.metrics_json import as_json, from_json
from towers.evaluation.rows import ALL_ROWS, Subject
from towers.evaluation.served.order import rank_candidates
from towers.models.article_encoder import EncoderSize
from towers.models.ranker import RankerConfig
from towers.models.two_stage import TwoStageConfig
from towers.training.candidate_features import candidate_numeric
from towers.training.export import ServedCandidateTower, export_candidate_tower, export_query_tower, export_ranker
from towers.training.fitted_sources import FittedSourcesByDay
from towers.training.fitting import Fitted, FittingConfig, fit
from towers.training.tower_trainer import TowerTraining

CONFIG = FittingConfig(
    towers=TwoStageConfig(
        embedding_dim=16,
        query_hidden=(32,),
        candidate_hidden=(32,),
        encoder=EncoderSize(content_dim=16),
        uniform_negatives=16,
    ),
    tower_training=TowerTraining(epochs=30, batch_size=128),
    ranker=RankerConfig(epochs=3, batch_size=512, negatives_per_customer=20),
    quotas={"bought_again": 10, "same_product": 10, "bought_together": 20, "tower": 20, "trending": 10},
)
REPORT_DAY = FIRST_DAY + 7


@dataclass(frozen=True)
class World:
    shop: Shop
    fitted: Fitted
    test: Snapshot
    retrieval: Retrieval
    evaluation: Evaluation


@pytest.fixture(scope="module")
def world() -> World:
    purchases = purchases_of_two_styles()
    shop = Shop(catalogue(), purchases, VOCABULARIES)
    days = [snapshot_on(shop.catalogue, FIRST_DAY + day, purchases) for day in range(3, 7)]
    fitted = fit(days, CONFIG.sources_by_day(shop), CONFIG)
    test = snapshot_on(shop.catalogue, REPORT_DAY, purchases)
    retrieval = fitted.retrieval(test)
    numbers = np.array([int(customer.customer_id) for customer in test.customers], np.int32)
    subject = Subject(retrieval, fitted.ranker.scores, purchases, numbers, fitted.towers.head_logits, fitted.rows)
    return World(shop, fitted, test, retrieval, evaluate(subject, ALL_ROWS))


@pytest.fixture(scope="module")
def models(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    export_query_tower(world.fitted.towers.query_tower, folder / "query_tower")
    served = ServedCandidateTower(world.fitted.towers.model, world.shop.catalogue.content.image_scale)
    export_candidate_tower(served, folder / "candidate_tower")
    export_ranker(world.fitted.ranker, folder / "ranker")
    return folder


def inputs_of(world: World) -> QueryInputs:
    return query_inputs(world.test.customers, VOCABULARIES)


def test_both_towers_give_unit_vectors(world: World) -> None:
    for vectors in (world.retrieval.query_embeddings, world.retrieval.index.vectors):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_the_towers_learn_that_customers_stay_with_their_style(world: World) -> None:
    found, _ = world.retrieval.index.search_many(world.retrieval.query_embeddings, 10)
    styles = np.array([[style_of(position) for position in row] for row in found])
    own = np.array([int(customer.customer_id) % 2 for customer in world.test.customers])
    assert (styles == own[:, None])[world.test.warm].mean() > 0.9


def test_one_purchase_moves_a_stranger_towards_its_style(world: World) -> None:
    inputs = query_inputs(world.test.customers[:1], VOCABULARIES)
    inputs.numeric[:] = np.nan
    linen, wool = 0, 2
    for bought, other in ((linen, wool), (wool, linen)):
        inputs.recent[:] = -1
        inputs.recent[0, 0] = bought
        inputs.recent_age_days[:] = 0.0
        query = world.fitted.towers.query_tower.embeddings(inputs)[0]
        # Another product of the style that was just bought beats the other style.
        cosines = world.retrieval.index.cosines(query, np.array([bought + 4, other + 4], np.int32))
        assert cosines[0] > cosines[1] + 0.1


def test_every_source_can_be_switched_on_and_is_known_to_a_release(world: World, tmp_path: Path) -> None:
    quotas = CONFIG.with_quotas({**dict.fromkeys(SOURCE_NAMES, 5), "trending": 0}).quotas
    assert set(quotas) == set(SOURCE_NAMES) - {"trending"}
    retrieval = FittedSourcesByDay(world.shop, quotas).retrieve(world.test, world.fitted.towers, quotas)
    for quota in retrieval.quotas:
        name = quota.source.name
        quota.source.save(tmp_path / name)
        opened = source_class(name).load(tmp_path / name, retrieval.articles)
        fitted, served = (source.propose(retrieval.query(3), 5) for source in (quota.source, opened))
        # Of articles that are alike to the last bits, products of many customers at once may put another first.
        np.testing.assert_allclose(served.scores, fitted.scores, rtol=1e-5, err_msg=name)
        if name != "tower":
            assert served.positions.tolist() == fitted.positions.tolist(), name


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"similar_pictures": 5}, "no candidate source 'similar_pictures'"),
        (dict.fromkeys(SOURCE_NAMES, 0), "source is left"),
    ],
)
def test_quotas_that_cannot_be_are_refused(changes: dict[str, int], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        CONFIG.with_quotas(changes)


def test_the_full_system_beats_popularity_in_this_shop(world: World) -> None:
    rows = world.evaluation.table["warm"]
    assert rows["vitrine"]["recall_at_20"] > 1.3 * rows["popularity"]["recall_at_20"]
    assert rows["two towers"]["recall_at_20"] > 1.3 * rows["popularity"]["recall_at_20"]


def test_the_exported_query_tower_gives_the_trained_towers_embeddings(world: World, models: Path) -> None:
    serve = tf.saved_model.load(str(models / "query_tower")).signatures["serving_default"]
    inputs = inputs_of(world)
    got = serve(**{name: tf.constant(value) for name, value in inputs.tensors().items()})["query_embedding"].numpy()
    np.testing.assert_allclose(got, world.retrieval.query_embeddings, atol=1e-6)
    assert {name: spec.dtype for name, spec in serve.structured_input_signature[1].items()} == {
        "numeric": tf.float32,
        "categories": tf.int32,
        "recent": tf.int32,
        "recent_age_days": tf.float32,
    }
    single = {name: tf.constant(value[3:4]) for name, value in inputs.tensors().items()}
    np.testing.assert_allclose(serve(**single)["query_embedding"].numpy()[0], got[3], atol=1e-6)


def test_an_article_that_the_release_does_not_know_is_like_none(world: World) -> None:
    inputs = query_inputs(world.test.customers[:1], VOCABULARIES)
    inputs.recent[:] = -1
    none = world.fitted.towers.query_tower.embeddings(inputs)
    inputs.recent[0, :RECENT_PURCHASES] = 10_000
    np.testing.assert_array_equal(world.fitted.towers.query_tower.embeddings(inputs), none)


def test_the_exported_candidate_tower_gives_the_index_its_vectors(world: World, models: Path) -> None:
    serve = tf.saved_model.load(str(models / "candidate_tower")).signatures["serving_default"]
    content = world.shop.catalogue.content
    raw_images = content.images.astype(np.float32) * content.image_scale
    got = serve(
        numeric=tf.constant(candidate_numeric(world.test.articles)),
        categories=tf.constant(content.categories),
        image=tf.constant(raw_images),
        terms=tf.constant(content.terms),
    )["candidate_embedding"].numpy()
    np.testing.assert_allclose(got, world.retrieval.index.vectors, atol=1e-5)


def test_the_exported_ranker_gives_the_trained_rankers_scores_whatever_the_batch(world: World, models: Path) -> None:
    serve = tf.saved_model.load(str(models / "ranker")).signatures["serving_default"]
    features = world.retrieval.features(0, world.retrieval.candidates(0))
    got = serve(features=tf.constant(features))["score"].numpy()
    np.testing.assert_allclose(got, world.fitted.ranker.scores(features), atol=1e-7)
    one_by_one = [serve(features=tf.constant(row[None]))["score"].numpy()[0] for row in features]
    np.testing.assert_allclose(one_by_one, got, atol=1e-6)
    assert ((got > 0) & (got < 1)).all()


@pytest.mark.parametrize("model", ["query_tower", "candidate_tower", "ranker"])
def test_warm_up_requests_fit_the_signature(models: Path, model: str) -> None:
    serve = tf.saved_model.load(str(models / model)).signatures["serving_default"]
    path = models / model / "assets.extra" / "tf_serving_warmup_requests"
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    assert 1 <= len(records) <= 1_000
    for record in records:
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == model
        serve(**{name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()})


def test_candidates_are_the_gateways_one_customer_at_a_time(world: World) -> None:
    found = world.retrieval.candidates(2)
    tower = found.column("tower")
    assert tower is not None
    _, alone = world.retrieval.index.search(world.retrieval.query_embeddings[2], CONFIG.quotas["tower"])
    proposed = np.sort(found.scores[found.ranks[:, tower] >= 0, tower])[::-1]
    np.testing.assert_allclose(proposed, alone, rtol=1e-5)


def test_every_row_is_there_and_vitrines_lead_over_each_is_measured(world: World) -> None:
    rows = {*ALL_ROWS, "best trending window", "vitrine without variety", "vitrine"} - {"observer"}
    assert set(world.evaluation.cells["warm"]) == rows
    assert set(world.evaluation.lead["warm"]) == rows - {"vitrine"}
    lead = world.evaluation.lead["warm"]["popularity"]["recall_at_20"]
    assert lead.low > 0
    cells = world.evaluation.cells["warm"]
    assert lead.mean == pytest.approx(cells["vitrine"]["recall_at_20"].mean - cells["popularity"]["recall_at_20"].mean)


def test_peers_of_the_same_log_find_the_styles_too(world: World) -> None:
    rows = world.evaluation.table["warm"]
    for peer in ("als", "bm25"):
        assert rows[peer]["recall_at_20"] > 1.2 * rows["popularity"]["recall_at_20"], peer


def test_an_evaluation_is_read_back_as_it_was_written(world: World) -> None:
    assert from_json(json.loads(json.dumps(as_json(world.evaluation)))) == world.evaluation


def test_figures_are_named_by_split_slice_row_and_metric_with_popularity_as_peer(world: World, tmp_path: Path) -> None:
    page, path, *pictures = write_report(world.evaluation, tmp_path, "holdout")
    figures = json.loads(path.read_text())["figures"]
    figure = figures["holdout.warm.vitrine.map_at_12"]
    assert figure["low"] < figure["value"] < figure["high"]
    assert figure["peer_value"] == figures["holdout.warm.popularity.map_at_12"]["value"]
    assert "holdout.warm.vitrine_minus_bought_again.ndcg_at_10" in figures
    assert {"holdout.warm.candidates.recall", "holdout.warm.source_tower.marginal_recall"} <= set(figures)
    assert 0 <= figures["holdout.warm.vitrine.expected_calibration_error"]["value"] < 0.05
    assert 0 < figures["holdout.all.vitrine.coverage"]["value"] <= 1
    assert "| vitrine |" in page.read_text()
    assert len(pictures) == 2
    assert all(picture.stat().st_size > 10_000 for picture in pictures)
    # Another split of the same commit does not wipe this one out.
    write_report(world.evaluation, tmp_path, "test")
    assert {"test.all.vitrine.map_at_12", "holdout.all.vitrine.map_at_12"} <= set(
        json.loads(path.read_text())["figures"]
    )


def test_vitrines_lists_are_the_gateways_order_of_each_customers_candidates(world: World) -> None:
    order = rank_candidates(world.retrieval, world.fitted.ranker.scores, {})
    snapshot, targets = world.test, world.test.targets
    for case in (*np.flatnonzero(snapshot.warm)[:5], *np.flatnonzero(~snapshot.warm)[:2]):
        found = world.retrieval.candidates(case)
        if snapshot.customers[case].has_history:
            scores = world.fitted.ranker.scores(world.retrieval.features(case, found))
            best = found.positions[np.argsort(-scores)]
            # Fewer candidates than 100 are filled up with best sellers, which are ranked, too.
            shown = order.rankings["vitrine without variety"][case]
            np.testing.assert_array_equal(shown[np.isin(shown, best)], best)
        for index in range(targets.offsets[case], targets.offsets[case + 1]):
            row = found.positions == targets.articles[index]
            sources = {name for name, rank in zip(found.sources, found.ranks[row].ravel(), strict=False) if rank >= 0}
            bits = {name for bit, name in enumerate(order.sources) if order.target_sources[index] >> bit & 1}
            if snapshot.customers[case].has_history:
                assert bits == sources
            else:
                assert bits <= {"trending"}
    assert len(order.scores) == len(order.bought)
    assert order.bought.sum() <= len(targets.articles)
