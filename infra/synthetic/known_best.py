"""What evaluation may show beside a release on a synthetic shop: the oracle, and who has only purchases to go by."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from infra.synthetic.observer import Observer
from infra.synthetic.oracle import Oracle


def known_best(folder: Path) -> dict[str, Callable[[], Oracle | Observer]]:
    """Row of the comparison -> opens what ranks it.

    Args:
        folder: of a shop that ``write_shop`` has written.
    """
    oracle = cache(lambda: Oracle.open(folder))
    return {"observer": lambda: Observer(oracle()), "oracle": oracle}
