"""A new candidate source is one new file and its line in ``SOURCES``: the recipe of CONTRIBUTING.md, followed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import serving.retrieval.sources
from serving.ranking.filters.allowed import Allowed
from serving.ranking.ranking_features import ranking_feature_names, ranking_features
from serving.ranking.reasons import reason
from serving.retrieval.articles import ACTIVITY_COLUMNS
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.registry import SOURCE_NAMES
from serving.retrieval.sources.source import Quota, RetrievalQuery
from tests.serving.retrieval_worlds import TODAY, ReleaseParts, bought, shop
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.past_shop import PastShop

NEW_FILE = """
from serving.retrieval.sources.source import CandidateSource, Proposal, top_k
import numpy as np

class DearestSource(CandidateSource):
    name = "dearest"
    default_quota = 2

    def __init__(self, prices):
        self._prices = prices

    @classmethod
    def fit(cls, past):
        return cls(np.nan_to_num(past.articles.activity_column("mean_price_micros")))

    def save(self, folder):
        folder.mkdir(parents=True)
        np.save(folder / "prices.npy", self._prices)

    @classmethod
    def load(cls, folder, articles):
        return cls(np.load(folder / "prices.npy"))

    def propose(self, query, limit):
        return top_k(np.arange(self._prices.size, dtype=np.int32), self._prices, limit)

    def reason(self, query, position):
        return "Among the dearest"
"""
KNOWING_ROOMS = (
    "serving.retrieval.sources.registry",
    "serving.ranking.attribution",
    "serving.ranking.find_candidates",
    "serving.release.reader",
    "towers.training.fitted_sources",
    "towers.training.fitting",
)
"""What reads ``SOURCES``: imported anew with the new source, as a new process would."""


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    """The room of the sources with the new file and line, and all that reads it."""
    room = tmp_path / "room"
    room.mkdir()
    (room / "dearest.py").write_text(NEW_FILE)
    registry = Path(serving.retrieval.sources.__path__[0]) / "registry.py"
    importing, line = "from serving.retrieval.sources.age_trend", "    ColdArticlesSource,\n"
    text = registry.read_text()
    assert (text.count(importing), text.count(line)) == (1, 1)
    text = text.replace(line, f"{line}    DearestSource,\n")
    text = text.replace(importing, f"from serving.retrieval.sources.dearest import DearestSource\n{importing}")
    (room / "registry.py").write_text(text)
    monkeypatch.setattr(serving.retrieval.sources, "__path__", [str(room), *serving.retrieval.sources.__path__])
    for name in KNOWING_ROOMS:
        importlib.import_module(name)  # so that what is put back afterwards is there
    for name in KNOWING_ROOMS:
        monkeypatch.delitem(sys.modules, name)
    yield {name.rpartition(".")[2]: importlib.import_module(name) for name in KNOWING_ROOMS}
    sys.modules.pop("serving.retrieval.sources.dearest")


def test_it_is_fitted_stored_asked_ranked_and_given_as_a_reason(rooms: dict[str, ModuleType], tmp_path: Path) -> None:
    assert rooms["fitting"].FittingConfig().quotas["dearest"] == 2
    assert rooms["registry"].SOURCE_NAMES[-1] == "dearest"
    articles = shop([1.0, 1.0, 1.0])
    articles.activity[:, ACTIVITY_COLUMNS.index("mean_price_micros")] = [10, 30, 20]
    nothing = PurchaseLog(*(np.empty(0, np.int32) for _ in range(3)))
    fitted = rooms["registry"].source_class("dearest").fit(PastShop(articles, nothing, np.ones((3, 1))))
    fitted.save(tmp_path / "dearest")
    opened = rooms["reader"].source_class("dearest").load(tmp_path / "dearest", articles)
    release = ReleaseParts(articles, ItemIndex(np.eye(3, dtype=np.float32), 0.1, 1.0), (Quota(opened, 2),))
    query = RetrievalQuery(Customer.from_values("c", bought(("0000000001", 3)), articles, TODAY), articles)
    found = rooms["find_candidates"].find_candidates(release, query, Allowed(articles))
    assert found.proposed.positions[:2].tolist() == [1, 2]
    assert found.shown_for.tolist() == ["dearest", "dearest", "popular"]
    assert rooms["find_candidates"].source_order(found).tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert reason(release, query, 1, "dearest") == "Among the dearest"
    names = ranking_feature_names(found.proposed.sources)
    columns = ranking_features(query.customer, found.proposed, articles, release.index, None)
    assert columns[:2, names.index("dearest_rank")].tolist() == [0, 1]
    assert columns[:2, names.index("dearest_score")].tolist() == [30, 20]


def test_known_sources_stay_what_they_were(rooms: dict[str, ModuleType]) -> None:
    assert rooms["registry"].SOURCE_NAMES[:-1] == SOURCE_NAMES
