"""Measures a release on one day against simple rules, its towers alone and, in a synthetic shop, the best possible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from infra.figures import Figure, write_figures
from serving.retrieval.purchase_log import PurchaseLog
from towers.evaluation.baselines import DEPTH, rank_by_bought_again, rank_by_bought_together, rank_by_popularity
from towers.evaluation.comparison import Comparison, figures, markdown, tables
from towers.evaluation.contenders import HeadScorer, Scorer, rank_by_head, rank_by_towers, rank_by_vitrine
from towers.ranking_set import Retrieval

ORACLE = "oracle"
SHARE_OF = "ndcg_at_10"
"""The metric whose share of the oracle's is reported."""


@dataclass(frozen=True)
class Evaluation:
    """What ``metrics.json`` of a release holds."""

    day: str  # ISO date of the purchases that were to be found
    sizes: Mapping[str, int]  # customers in each slice
    table: Mapping[str, Mapping[str, Mapping[str, float]]]  # slice -> row -> metric -> value
    candidates: Mapping[str, Mapping[str, float]]  # slice -> recall of all candidates, and their mean number

    def as_json(self) -> dict[str, Any]:
        """Plain data, read back by ``from_json``."""
        return {"day": self.day, "sizes": self.sizes, "table": self.table, "candidates": self.candidates}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Evaluation:
        """Read what ``as_json`` made."""
        return cls(content["day"], content["sizes"], content["table"], content["candidates"])

    def headline(self) -> dict[str, float]:
        """``<slice>.<row>.<metric>`` of the rows and metrics that judge a release."""
        return {
            f"{part}.{row}.{metric}": rows[row][metric]
            for part, rows in self.table.items()
            for row in ("popularity", "vitrine")
            for metric in ("map_at_12", "ndcg_at_10", "recall_at_100")
        }

    def achievable_share(self, part: str) -> float | None:
        """Vitrine's share of the oracle's NDCG@10 in a slice; None where there is no oracle."""
        rows = self.table[part]
        return rows["vitrine"][SHARE_OF] / rows[ORACLE][SHARE_OF] if ORACLE in rows else None

    def show(self, console: Console) -> None:
        """Print the tables."""
        # A log file is not 80 columns wide.
        console = console if console.is_terminal else Console(width=max(console.width, 140))
        console.print(f"purchases of {self.day}, to be found from what was known that morning")
        for table in tables(self.table, self.sizes):
            console.print(table)
        for part, values in self.candidates.items():
            line = (
                f"{part}: {values['recall']:.3f} of the targets are among {values['count']:.0f} candidates a customer"
            )
            share = self.achievable_share(part)
            console.print(line + (f"; {share:.0%} of the oracle's {SHARE_OF}" if share is not None else ""))

    def as_markdown(self) -> str:
        """The tables as a page."""
        return f"## Purchases of {self.day}\n\n" + markdown(self.table, self.sizes)

    def write(self, reports_dir: Path, name: str, split: str = "test") -> list[Path]:
        """Write the tables as Markdown and all figures as JSON; return both paths."""
        page = reports_dir / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(self.as_markdown())
        values = figures(split, self.table)
        for part, candidates in self.candidates.items():
            values[f"{split}.{part}.candidates.recall"] = Figure(candidates["recall"], "share")
            values[f"{split}.{part}.candidates.count"] = Figure(candidates["count"], "articles")
            share = self.achievable_share(part)
            if share is not None:
                values[f"{split}.{part}.vitrine.share_of_oracle_{SHARE_OF}"] = Figure(share, "share")
        return [page, write_figures(reports_dir, name, values)]


def evaluate(
    retrieval: Retrieval,
    scorer: Scorer,
    purchases: PurchaseLog,
    head: HeadScorer | None = None,
    oracle_dir: Path | None = None,
) -> Evaluation:
    """Rank every customer of a snapshot in every way and compare.

    Args:
        retrieval: sources, index and query embeddings as of the snapshot's morning.
        scorer: the ranker.
        purchases: the log; each rule uses what is dated before the snapshot's day.
        head: the two-stage model's head; without it that row is left out.
        oracle_dir: the folder of a synthetic shop.
    """
    snapshot = retrieval.snapshot
    ranked, recall, counts = rank_by_vitrine(retrieval, scorer)
    rankings = {
        "popularity": rank_by_popularity(snapshot, purchases),
        "bought again": rank_by_bought_again(snapshot, purchases),
        "bought together": rank_by_bought_together(snapshot, purchases),
        "two towers": rank_by_towers(retrieval),
    }
    if head is not None:
        rankings["two-stage head"] = rank_by_head(retrieval, head)
    rankings["vitrine"] = ranked
    day = date(1970, 1, 1) + timedelta(days=snapshot.day)
    if oracle_dir is not None:
        rankings[ORACLE] = _rank_by_oracle(retrieval, day, oracle_dir)
    warm = snapshot.warm
    slices = {"warm": warm, "cold": ~warm, "all": np.ones(len(warm), np.bool_)}
    slices = {name: chosen for name, chosen in slices.items() if chosen.any()}
    table = Comparison.of(day.isoformat(), rankings, snapshot.targets, slices).as_json()
    candidates = {
        name: {"recall": float(recall[chosen].mean()), "count": float(counts[chosen].mean())}
        for name, chosen in slices.items()
    }
    return Evaluation(day.isoformat(), {name: int(chosen.sum()) for name, chosen in slices.items()}, table, candidates)


def _rank_by_oracle(retrieval: Retrieval, day: date, folder: Path) -> npt.NDArray[np.int32]:
    from infra.synthetic.oracle import Oracle

    snapshot = retrieval.snapshot
    customers = [customer.customer_id for customer in snapshot.customers]
    lists = Oracle.open(folder).rank(customers, day, min(DEPTH, len(snapshot.articles)))
    ranked = np.full((len(lists), DEPTH), -1, np.int32)
    for row, ids in enumerate(lists):
        ranked[row, : len(ids)] = snapshot.articles.positions([str(article_id) for article_id in ids])
    return ranked
