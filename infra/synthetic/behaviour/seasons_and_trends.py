"""What time does to demand: the season's warmth, trends that rise and fall, campaigns, weekdays and pay days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.synthetic.catalogue import Floats
from infra.synthetic.seeds import generator
from infra.synthetic.styles import CLUSTERS, DIMENSIONS
from infra.synthetic.vocabulary import GROUPS, MASTERS

HORIZON_DAYS: Final = 60  # trends are defined this long after the last day, so that tomorrow can be ranked too
WEEKDAY_FACTORS: Final = (0.92, 0.9, 0.92, 1.0, 1.12, 1.2, 0.98)
PAY_DAYS: Final = frozenset({25, 26, 27, 28})
PAY_DAY_FACTOR: Final = 1.3


@dataclass(frozen=True)
class Bump:
    """How trends rise and fall: ``count`` bumps of ``height`` over ``width_days`` on average."""

    count: float
    height: float
    width_days: tuple[float, float]


STYLE_BUMPS: Final = Bump(3, 0.22, (12, 30))
CLUSTER_BUMPS: Final = Bump(3, 0.5, (8, 22))
COLOUR_BUMPS: Final = Bump(3, 0.6, (8, 24))
VIRAL_SHARE: Final = 0.1  # of articles have a short fame of their own
VIRAL_HEIGHT: Final = (0.6, 1.8)
VIRAL_WIDTH_DAYS: Final = (3.0, 8.0)


@dataclass(frozen=True)
class Trends:
    """Trend values by day since the shop's first (0) [T, ...], and each article's moment of fame."""

    styles: Floats  # [T, DIMENSIONS] added to everybody's taste
    clusters: Floats  # [T, GROUPS, CLUSTERS]
    colours: Floats  # [T, colour masters]
    viral_days: Floats  # [A] when an article's fame peaks
    viral_heights: Floats  # [A] 0 for most
    viral_widths: Floats  # [A]

    def fame_on(self, day: int) -> Floats:
        """The articles' own bumps on ``day`` [A]."""
        distance = (day - self.viral_days) / self.viral_widths
        return (self.viral_heights * np.exp(-0.5 * distance**2)).astype(np.float32)


def make_trends(articles: int, launch_days: NDArray[np.integer], days: int, seed: int) -> Trends:
    """Draw the trends of a shop open for ``days`` days."""
    rng = generator(seed, "trends")
    total = days + HORIZON_DAYS
    viral = rng.random(articles) < VIRAL_SHARE
    earliest = np.maximum(launch_days, 0)
    return Trends(
        styles=_curves(rng, STYLE_BUMPS, total, DIMENSIONS, signed=True),
        clusters=_curves(rng, CLUSTER_BUMPS, total, len(GROUPS) * CLUSTERS).reshape(total, len(GROUPS), CLUSTERS),
        colours=_curves(rng, COLOUR_BUMPS, total, len(MASTERS)),
        viral_days=(earliest + rng.random(articles) * np.maximum(total - earliest, 1)).astype(np.float32),
        viral_heights=np.where(viral, rng.uniform(*VIRAL_HEIGHT, articles), 0).astype(np.float32),
        viral_widths=rng.uniform(*VIRAL_WIDTH_DAYS, articles).astype(np.float32),
    )


def _curves(rng: np.random.Generator, bump: Bump, days: int, curves: int, signed: bool = False) -> Floats:
    """Sums of bumps over time [days, curves]; per 120 days ``bump.count`` of them each."""
    count = max(1, round(bump.count * days / 120))
    peak = rng.uniform(0, days, (count, curves))
    width = rng.uniform(*bump.width_days, (count, curves))
    height = bump.height * rng.gamma(3, 1 / 3, (count, curves))
    if signed:
        height *= rng.choice([-1, 1], (count, curves))
    time = np.arange(days)[:, None, None]
    return (height * np.exp(-0.5 * ((time - peak) / width) ** 2)).sum(axis=1).astype(np.float32)


def warmth(day: date) -> float:
    """1 in the middle of July, -1 in the middle of January."""
    return float(np.cos(2 * np.pi * (day.timetuple().tm_yday - 197) / 365.25))


def footfall(day: date) -> float:
    """How many baskets a day sees, relative to an ordinary one: weekday and pay day."""
    return WEEKDAY_FACTORS[day.weekday()] * (PAY_DAY_FACTOR if day.day in PAY_DAYS else 1.0)


def day_number(day: date, first_day: date) -> int:
    """Days since the shop's first day."""
    return (day - first_day) // timedelta(days=1)
