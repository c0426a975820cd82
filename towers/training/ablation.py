"""``vitrine ablate``: the same training again and again, each time without one thing, measured on the same customers.

What does not change is done once: the joins, the sources, and the towers where they see what they always see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from infra.base.progress import console
from serving.retrieval.customer import Customer
from towers.data.catalogue import Catalogue
from towers.data.snapshot import Snapshot
from towers.data.training_data import TrainingData
from towers.evaluation.metrics import target_ranks
from towers.evaluation.peers.contenders import rank_by_towers
from towers.evaluation.report.ablation import EVERYTHING, AblationReport, Ranks, report_of
from towers.evaluation.rows import Subject, served_order
from towers.evaluation.served.order import SERVED
from towers.training.fitted_sources import FittedSourcesByDay
from towers.training.fitted_towers import FittedTowers, fit_towers
from towers.training.fitting import Fitted, FittingConfig, fit_ranker

_STREAM = "customer_activity_30d:"


@dataclass(frozen=True)
class Variant:
    """Training with something taken away."""

    name: str
    what: str
    data: Callable[[TrainingData], TrainingData] | None = None  # None: the towers see what they always see
    config: Callable[[FittingConfig], FittingConfig] = lambda config: config


def variants(sources: Sequence[str], images_dir: Path, seed: int) -> dict[str, Variant]:
    """All variants by name.

    Args:
        sources: names of the candidate sources.
        images_dir: tells which articles have a picture of their own.
        seed: of what is shuffled.
    """

    def pictures_shuffled(data: TrainingData) -> TrainingData:
        pictured = pictured_articles(images_dir, data.catalogue.table.ids)
        return _with_content(data, images=_shuffle(pictured, seed))

    made = [
        Variant("without_pictures", "no picture embeddings", lambda m: _with_content(m, images=_blank)),
        Variant("pictures_shuffled", "each pictured article has the picture of another", pictures_shuffled),
        Variant("without_text", "no names and descriptions", lambda m: _with_content(m, terms=_blank)),
        Variant(
            "text_shuffled",
            "each article has the name and description of another",
            lambda m: _with_content(m, terms=_shuffle(np.ones(len(m.catalogue.table), np.bool_), seed)),
        ),
        Variant("without_stream", "no 30-day activity of customers and articles", _without_stream),
        Variant("without_tastes", "no latent tastes", config=lambda config: replace(config, latent_dim=0)),
        *(
            Variant(
                f"without_{name}", f"source {name} off", config=partial(FittingConfig.with_quotas, changes={name: 0})
            )
            for name in sources
        ),
    ]
    return {variant.name: variant for variant in made}


def choose(known: Mapping[str, Variant], only: str | None) -> list[Variant]:
    """The variants that ``--only`` names.

    Raises:
        UserError: there is no such variant.
    """
    if only is None:
        return list(known.values())
    names = [name.strip() for name in only.split(",")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"--only names {unknown[0]!r}; expected names out of {', '.join(known)}")
    return [known[name] for name in names]


def ablate(
    data: TrainingData, config: FittingConfig, chosen: Sequence[Variant], report_days: int = 1, fits: int = 1
) -> AblationReport:
    """Train and measure everything, and each variant.

    Args:
        data: from ``open_training_data``.
        config: of all fits.
        chosen: what to take away in turn.
        report_days: measure on so many of the last days, by models that had seen none of them: what is rare, such as
            cold articles, needs more than one day to tell anything.
        fits: do all this so many times, by seed after seed, and average what each customer got: two fits of the same
            thing differ by as much as many a variant is worth.

    Raises:
        UserError: no day is left to train on.
    """
    if report_days > len(data.past):
        raise UserError(f"{report_days} report days leave none of {len(data.past) + 1} to train on; ask for fewer")
    data, tests = _held_back(data, report_days)
    configs = [config.with_seed(config.seed + fit) for fit in range(fits)]
    console.print(f"[bold]{EVERYTHING}[/bold]")
    whole = _Setting.of(data, tests, configs)
    ranks = {EVERYTHING: whole.ranks(configs)}
    for number, variant in enumerate(chosen, start=1):
        console.print(f"[bold]{number} of {len(chosen)}: {variant.name}[/bold], {variant.what}", highlight=False)
        setting = whole
        if variant.data is not None:
            days = [variant.data(replace(data, past=[], report=day, test=day)).test for day in tests]
            setting = _Setting.of(variant.data(data), days, configs)
        ranks[variant.name] = setting.ranks([variant.config(config) for config in configs])
    return report_of(tests, ranks, config.seed)


@dataclass(frozen=True)
class _Setting:
    """What is seen, and what variants that see the same have in common."""

    data: TrainingData
    tests: Sequence[Snapshot]
    sources_by_day: FittedSourcesByDay
    towers: Sequence[FittedTowers]  # of each fit

    @classmethod
    def of(cls, data: TrainingData, tests: Sequence[Snapshot], configs: Sequence[FittingConfig]) -> _Setting:
        """Train the towers of every fit."""
        towers = [
            fit_towers(data.past, data.catalogue, data.vocabularies, config.towers, config.tower_training)
            for config in configs
        ]
        return cls(data, tests, configs[0].sources_by_day(data.shop), towers)

    def ranks(self, configs: Sequence[FittingConfig]) -> Ranks:
        """Fit a ranker to each fit's towers, and rank the test days' customers."""
        fits = [self._ranks(*fit) for fit in zip(self.towers, configs, strict=True)]
        return Ranks.join(fits, np.stack)

    def _ranks(self, towers: FittedTowers, config: FittingConfig) -> Ranks:
        sources_by_day = self.sources_by_day
        if config.latent_dim != sources_by_day.latent_dim:
            sources_by_day = config.sources_by_day(self.data.shop)
        fitted = fit_ranker(self.data.past, towers, sources_by_day, config)
        return Ranks.join([self._ranks_of_day(test, fitted) for test in self.tests], np.concatenate)

    def _ranks_of_day(self, test: Snapshot, fitted: Fitted) -> Ranks:
        retrieval = fitted.retrieval(test)
        unknown = np.full(len(test.customers), -1, np.int32)  # only peers ask the log about customers
        order = served_order(Subject(retrieval, fitted.ranker.scores, self.data.purchases, unknown), ())
        return Ranks(
            target_ranks(order.rankings[SERVED], test.targets),
            target_ranks(rank_by_towers(retrieval), test.targets),
            order.target_sources,
        )


def _held_back(data: TrainingData, report_days: int) -> tuple[TrainingData, list[Snapshot]]:
    """The data without the last days, and these."""
    if report_days == 1:
        return data, [data.test]
    days = [*data.past, data.report]
    tests = [day.take(np.flatnonzero(day.targets.counts)) for day in days[-report_days:]]
    return replace(data, past=days[:-report_days]), tests


def pictured_articles(images_dir: Path, article_ids: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which articles have a picture of their own, and not the mean of their kind, [articles]."""
    found: set[str] = set()
    for path in images_dir.glob("cache/*/part-*.npz"):
        with np.load(path, allow_pickle=False) as part:
            found |= set(part["article_ids"].tolist())
    return np.fromiter((article_id in found for article_id in article_ids), np.bool_, len(article_ids))


Change = Callable[[npt.NDArray], npt.NDArray]


def _blank(rows: npt.NDArray) -> npt.NDArray:
    return np.zeros_like(rows)


def _shuffle(which: npt.NDArray[np.bool_], seed: int) -> Change:
    """Exchange the rows of some articles among them."""

    def change(rows: npt.NDArray) -> npt.NDArray:
        changed = rows.copy()
        chosen = np.flatnonzero(which)
        changed[chosen] = rows[np.random.default_rng(seed).permutation(chosen)]
        return changed

    return change


def _with_content(data: TrainingData, images: Change | None = None, terms: Change | None = None) -> TrainingData:
    content = data.catalogue.content
    if images is not None:
        content = replace(content, images=images(content.images))
    if terms is not None:
        content = replace(content, terms=terms(content.terms))
    return replace(data, catalogue=Catalogue(data.catalogue.table, content))


def _without_stream(data: TrainingData) -> TrainingData:
    def blinded(snapshot: Snapshot) -> Snapshot:
        articles = replace(snapshot.articles, activity=np.full_like(snapshot.articles.activity, np.nan))
        customers = [
            Customer.from_values(
                customer.customer_id,
                {name: value for name, value in customer.values.items() if not name.startswith(_STREAM)},
                articles,
                customer.today,
            )
            for customer in snapshot.customers
        ]
        return Snapshot(snapshot.day, articles, customers, snapshot.targets)

    return replace(
        data,
        past=[blinded(snapshot) for snapshot in data.past],
        report=blinded(data.report),
        test=blinded(data.test),
    )
