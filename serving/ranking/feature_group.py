"""Feature groups: every column's name stands beside the function that computes it, so neither can move alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy.typing as npt

Column = npt.NDArray | float
"""Values of all rows, [m], NaN where missing; or one number that all of them share."""

Inputs = TypeVar("Inputs", contravariant=True)
Prepared = TypeVar("Prepared")


@dataclass(frozen=True)
class FeatureGroup(Generic[Inputs, Prepared]):
    """Columns that one idea gives.

    Attributes:
        prepare: what the columns share, worked out once a request; None where nothing is known: all are missing then.
        columns: by name, in order, each made of what was prepared.
    """

    prepare: Callable[[Inputs], Prepared | None]
    columns: Mapping[str, Callable[[Prepared], Column]]

    def compute(self, inputs: Inputs) -> list[Column]:
        """The columns' values, in order."""
        prepared = self.prepare(inputs)
        if prepared is None:
            return [math.nan] * len(self.columns)
        return [column(prepared) for column in self.columns.values()]


@dataclass(frozen=True)
class FeatureTable(Generic[Inputs]):
    """The columns of some groups, one group behind the other: what a model takes in.

    Raises:
        ValueError: two columns have one name.
    """

    groups: tuple[FeatureGroup[Inputs, Any], ...]

    def __post_init__(self) -> None:
        twice = [name for name, times in Counter(self.names).items() if times > 1]
        if twice:
            raise ValueError(f"two feature groups have a column {twice[0]!r}; name one of them differently")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All columns in order."""
        return tuple(name for group in self.groups for name in group.columns)

    def compute(self, inputs: Inputs) -> list[Column]:
        """All columns' values in order."""
        return [column for group in self.groups for column in group.compute(inputs)]


def column_of(names: Sequence[str], name: str) -> int:
    """The place of a column among these.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in names:
        raise ValueError(f"there is no feature {name!r}; expected one of {', '.join(names)}")
    return names.index(name)
