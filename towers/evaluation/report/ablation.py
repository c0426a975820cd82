"""What each part of the system is worth: variants without it against everything, paired over the same customers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from infra.base.figures import Figure, write_figures
from towers.data.snapshot import Snapshot
from towers.evaluation.comparison import Comparison
from towers.evaluation.report.figures import compared, differences
from towers.evaluation.report.markdown import markdown_table
from towers.evaluation.report.tables import heading, plain_table, spread, wide
from towers.evaluation.slices import make_slices
from towers.evaluation.source_shares import union_recall

SLICES = ("warm", "cold", "new_products", "cold_articles")
METRICS = ("map_at_12", "ndcg_at_10", "recall_at_12", "recall_at_100")
SHOWN, SHOWN_OF_TOWERS = ("map_at_12", "recall_at_100"), ("recall_at_100",)
_COLUMNS = (
    *(text for metric in SHOWN for text in (heading(metric), "lost")),
    *(text for metric in SHOWN_OF_TOWERS for text in (f"towers {heading(metric)}", "lost")),
    "candidates",
)
EVERYTHING = "everything"
_WIDTH = 190


@dataclass(frozen=True)
class Ranks:
    """Where every target of the test days stands, [targets in all]; of several fits [fits, targets in all]."""

    served: npt.NDArray[np.int32]  # in Vitrine's lists
    towers: npt.NDArray[np.int32]  # in the towers' own
    proposed: npt.NDArray[np.int32]  # > 0 where it is a candidate

    @classmethod
    def join(cls, parts: Sequence[Ranks], how: Callable[[list[npt.NDArray[np.int32]]], npt.NDArray[np.int32]]) -> Ranks:
        """One of several, each array joined by a function of numpy."""
        return cls(*(how([getattr(part, field.name) for part in parts]) for field in fields(cls)))


@dataclass(frozen=True)
class AblationReport:
    """Metrics of all variants, and how much is lost by each."""

    sizes: Mapping[str, int]  # slice -> cases
    served: Comparison
    towers: Comparison
    candidates: Mapping[str, Mapping[str, float]]  # slice -> variant -> recall of all candidates

    def show(self, console: Console) -> None:
        """One table a slice."""
        console = wide(console, _WIDTH)
        for part, count in self.sizes.items():
            title = f"{part} ({count:,} cases); lost: everything minus the variant, with the range of 95 %"
            table = plain_table(title, _COLUMNS, no_wrap=True)
            for variant in self.served.cells[part]:
                table.add_row(variant, *self._line(part, variant))
            console.print(table)

    def as_markdown(self) -> str:
        """The same tables as a page."""
        lines = ["# What each part is worth", "", "Lost: everything minus the variant, paired, range of 95 %.", ""]
        for part, count in self.sizes.items():
            rows = {variant: self._line(part, variant) for variant in self.served.cells[part]}
            lines += [f"## {part} ({count:,} cases)", "", *markdown_table(_COLUMNS, rows)]
        return "\n".join(lines)

    def figures(self) -> dict[str, Figure]:
        """``<slice>.<variant>.<metric>``; what is lost is ``<slice>.lost_<variant>.<metric>``."""
        result: dict[str, Figure] = {}
        for kind, comparison in (("", self.served), ("towers_", self.towers)):
            for part, variants in comparison.cells.items():
                result |= compared(variants, EVERYTHING, f"{part}.", kind)
                result |= differences(comparison.lead[part], f"{part}.lost_", kind)
        for part, recalls in self.candidates.items():
            for variant, recall in recalls.items():
                result[f"{part}.{variant}.candidates_recall"] = Figure(recall, "share")
        return result

    def write(self, reports_dir: Path) -> list[Path]:
        """Write ``ablation.md`` and ``figures/ablation.json``; return both paths."""
        page = reports_dir / "ablation.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(self.as_markdown())
        return [page, write_figures(reports_dir, "ablation", self.figures())]

    def _line(self, part: str, variant: str) -> list[str]:
        cells = []
        for comparison, metrics in ((self.served, SHOWN), (self.towers, SHOWN_OF_TOWERS)):
            for metric in metrics:
                cells.append(f"{comparison.cells[part][variant][metric].mean:.4f}")
                lost = comparison.lead[part].get(variant)
                cells.append(spread(lost[metric]) if lost else "")
        return [*cells, f"{self.candidates[part][variant]:.4f}"]


def report_of(tests: Sequence[Snapshot], ranks: Mapping[str, Ranks], seed: int) -> AblationReport:
    """Compare variants by name, ``EVERYTHING`` among them.

    Args:
        tests: the days that were measured on; ranks are of their targets, day behind day.
    """
    slices = {name: part for name, part in make_slices(*tests).items() if name in SLICES}
    return AblationReport(
        {name: len(part) for name, part in slices.items()},
        Comparison.of({name: own.served for name, own in ranks.items()}, slices, seed, METRICS, EVERYTHING),
        Comparison.of({name: own.towers for name, own in ranks.items()}, slices, seed, METRICS, EVERYTHING),
        {
            part: {
                name: float(np.mean([union_recall(chosen, fit) for fit in own.proposed])) for name, own in ranks.items()
            }
            for part, chosen in slices.items()
        },
    )
