"""A progress bar for everything that takes more than a few seconds; a plain line where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")
console = Console()


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield ``items`` while a bar shows how far along and how long to go."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress_bar(description, total) as advance:
        for item in items:
            yield item
            advance(1)


class _Advance:
    def __init__(self, progress: Progress | None, task: int) -> None:
        self._progress, self._task = progress, task

    def __call__(self, steps: int = 1) -> None:
        if self._progress is not None:
            self._progress.advance(self._task, steps)  # type: ignore[arg-type]


@contextmanager
def progress_bar(description: str, total: int | None) -> Iterator[_Advance]:
    """Show a bar of ``total`` steps; the value given is called with the number of steps done."""
    if not console.is_terminal:
        started = time.monotonic()
        yield _Advance(None, 0)
        seconds = time.monotonic() - started
        if seconds > 2:
            console.print(f"  {description}: {seconds:.1f} s")
        return
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        yield _Advance(progress, progress.add_task(description, total=total))
