"""The oracle's ranking is the best there is, and its expectation is what the draws come to."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from infra.base.errors import UserError
from infra.synthetic.behaviour.history import KEPT, History
from infra.synthetic.behaviour.purchases import draw_baskets, draw_days
from infra.synthetic.behaviour.utility import EXTRA_ARTICLES, Utility
from infra.synthetic.oracle import Oracle
from infra.synthetic.shop import ShopSize, write_shop
from infra.synthetic.world import World, make_world

DAYS = 40
FIRST_DAY = date(2020, 8, 1)
NO_FILES = Path("nowhere")


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(articles=400, customers=800, days=DAYS, first_day=FIRST_DAY, seed=5)


@pytest.fixture(scope="module")
def past(world: World) -> History:
    """What was bought on all days but the last."""
    history = History(len(world.customers))
    for day, bought in enumerate(draw_days(world, 12_000)):
        if day < DAYS - 1:
            history.add(bought.customers, bought.articles, np.full(len(bought.articles), day))
    return history


def hits(world: World, ranking: np.ndarray, drawn: list[tuple[np.ndarray, np.ndarray]], k: int) -> float:
    """Purchases found among the first k of each customer's ranking [C, A], over all draws, as a share."""
    place = np.empty_like(ranking)
    np.put_along_axis(place, ranking, np.broadcast_to(np.arange(ranking.shape[1]), ranking.shape), axis=1)
    found = [float((place[customers, articles] < k).mean()) for customers, articles in drawn]
    return float(np.mean(found))


@pytest.fixture(scope="module")
def drawn(world: World, past: History) -> list[tuple[np.ndarray, np.ndarray]]:
    """The last day's purchases, drawn many times over with everybody shopping."""
    utility, everyone = Utility(world), np.arange(len(world.customers))
    draws = [draw_baskets(utility, everyone, DAYS - 1, past, np.random.default_rng(seed)) for seed in range(40)]
    return [(draw.customers, draw.articles) for draw in draws]


@pytest.fixture(scope="module")
def expected(world: World, past: History) -> np.ndarray:
    return Oracle(world, NO_FILES).expectation(np.arange(len(world.customers)), DAYS - 1, past)


def test_expected_purchases_are_what_the_draws_come_to(world: World, drawn: list, expected: np.ndarray) -> None:
    assert expected.sum(axis=1) == pytest.approx(1 + EXTRA_ARTICLES, rel=1e-3)
    counted = np.zeros_like(expected)
    for customers, articles in drawn:
        np.add.at(counted, (customers, articles), 1)
    counted /= len(drawn)
    # Over all customers, articles sell as expected; for the strongest wishes, so does each single pair.
    assert np.corrcoef(counted.sum(axis=0), expected.sum(axis=0))[0, 1] > 0.995
    strong = expected > 0.3
    assert counted[strong].mean() == pytest.approx(float(expected[strong].mean()), rel=0.05)


def test_the_oracle_beats_popularity_and_every_perturbed_version_of_itself(
    world: World, drawn: list, expected: np.ndarray
) -> None:
    best = {k: hits(world, np.argsort(-expected, axis=1), drawn, k) for k in (5, 12)}
    rng = np.random.default_rng(0)
    rivals = {
        "true popularity": np.broadcast_to(expected.sum(axis=0), expected.shape),
        "a little noise": expected * np.exp(rng.normal(0, 0.3, expected.shape)),
        "much noise": expected * np.exp(rng.normal(0, 1.0, expected.shape)),
        "no history": Oracle(world, NO_FILES).expectation(np.arange(len(expected)), DAYS - 1, History(len(expected))),
        "the trends of three weeks ago": np.where(
            expected > 0,
            Oracle(world, NO_FILES).expectation(np.arange(len(expected)), DAYS - 22, History(len(expected))),
            0,
        ),
        "first articles only": _first_articles_only(world, expected),
    }
    for name, scores in rivals.items():
        ranking = np.argsort(-scores, axis=1)
        for k, share in best.items():
            assert hits(world, ranking, drawn, k) < share, f"{name} at {k}"
    assert best[12] > 2.5 * hits(world, np.argsort(-rivals["true popularity"], axis=1), drawn, 12)


def _first_articles_only(world: World, expected: np.ndarray) -> np.ndarray:
    """Leaves out what comes along as an outfit, and repurchase with it."""
    utility, scores = Utility(world), np.zeros_like(expected)
    for group, where in enumerate(utility.slices):
        weights = utility.weights(np.arange(len(expected)), group, DAYS - 1, History(len(expected)))
        share = world.customers.group_shares[:, group]
        scores[:, where] = share[:, None] * weights / weights.sum(axis=1, keepdims=True)
    return scores


def test_what_is_not_on_sale_is_never_expected(world: World, expected: np.ndarray) -> None:
    catalogue = world.catalogue
    off = (catalogue.launch_days > DAYS - 1) | (catalogue.leave_days <= DAYS - 1)
    assert off.any()
    assert (expected[:, off] == 0).all()
    assert (expected[:, ~off] > 0).all()


def test_a_newer_purchase_decides_and_history_forgets_in_order() -> None:
    history = History(2)
    history.add(np.array([0, 1, 0]), np.array([10, 20, 11]), np.array([0, 0, 1]))
    articles, days = history.recent(np.array([0, 1]))
    assert articles[0, -2:].tolist() == [10, 11]
    assert days[0, -2:].tolist() == [0, 1]
    assert articles[1, -2:].tolist() == [-1, 20]
    history.add(np.zeros(KEPT, dtype=int), np.arange(KEPT), np.full(KEPT, 2))
    assert history.recent(np.array([0]))[0][0].tolist() == list(range(KEPT))


@pytest.fixture(scope="module")
def shop_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oracle-shop")
    write_shop(ShopSize(400, 300, DAYS, 5_000, FIRST_DAY, 5, pictures=False), folder)
    return folder


def test_the_state_comes_back_from_the_written_files(shop_dir: Path) -> None:
    oracle = Oracle.open(shop_dir)
    live = History(len(oracle.world.customers))
    for day, bought in enumerate(draw_days(oracle.world, 5_000)):
        if day < DAYS - 1:
            live.add(bought.customers, bought.articles, np.full(len(bought.articles), day))
    read = oracle.history_before(DAYS - 1)
    everyone = np.arange(len(oracle.world.customers))
    for from_files, in_memory in zip(read.recent(everyone), live.recent(everyone), strict=True):
        np.testing.assert_array_equal(from_files, in_memory)  # type: ignore[arg-type]


def test_ranking_by_ids_ignores_the_day_itself(shop_dir: Path, tmp_path: Path) -> None:
    oracle, day = Oracle.open(shop_dir), FIRST_DAY + timedelta(days=DAYS - 1)
    header, *rows = (shop_dir / "transactions_train.csv").read_text().splitlines()
    customers = list(dict.fromkeys(row.split(",")[1] for row in rows))[:50]
    ranked = oracle.rank(customers, day, 12)
    assert len(ranked) == 50
    assert all(len(row) == len(set(row.tolist())) == 12 for row in ranked)
    before = [row for row in rows if row.split(",")[0] < str(day)]
    assert 0 < len(before) < len(rows)
    (tmp_path / "transactions_train.csv").write_text("\n".join([header, *before]))
    without = Oracle(oracle.world, tmp_path).rank(customers, day, 12)
    assert [row.tolist() for row in without] == [row.tolist() for row in ranked]
    single = oracle.rank(customers[:1], day, 12)
    assert single[0].tolist() == ranked[0].tolist()  # batch and single calls agree
    everything = oracle.rank(customers[:1], day, 10_000)
    assert len(everything[0]) == 300


def test_mistakes_are_named(shop_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"oracle\.npz does not exist"):
        Oracle.open(tmp_path)
    oracle = Oracle.open(shop_dir)
    with pytest.raises(UserError, match="customer 'nobody' is not of this synthetic shop"):
        oracle.rank(["nobody"], FIRST_DAY, 5)
    with pytest.raises(UserError, match="cannot rank for 2030-01-01"):
        oracle.rank([], date(2030, 1, 1), 5)
