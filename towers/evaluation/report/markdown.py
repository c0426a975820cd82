"""An evaluation as a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from towers.evaluation.comparison import HERO
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.report.tables import SHOWN, VARIETY_COLUMNS, candidates_line, half_width, heading, spread

_SOURCE_COLUMNS = ("recall", "marginal recall", "share of hits", "only source")


def page(evaluation: Evaluation) -> str:
    """All slices, rows and metrics."""
    lines = [f"## Purchases of {evaluation.day}", "", *_slices(evaluation)]
    lines += ["### Candidates", ""] + [f"- {candidates_line(evaluation, part)}" for part in evaluation.candidates]
    lines.append("")
    for part, sources in evaluation.sources.items():
        lines += [f"### Candidate sources, {part}", "", *markdown_table(_SOURCE_COLUMNS, _numbers(sources))]
    for part, rows in evaluation.variety.items():
        lines += [f"### Variety, {part}", "", *markdown_table(VARIETY_COLUMNS, _numbers(rows))]
    if evaluation.agreement:
        lines += [evaluation.agreement.line(), ""]
    if evaluation.calibration:
        found = evaluation.calibration
        lines += [f"### Calibration, error {found.expected_error:.5f}", "", "| said | was bought |", "|---:|---:|"]
        pairs = zip(found.predicted, found.observed, strict=True)
        lines += [f"| {said:.5f} | {was:.5f} |" for said, was in pairs] + [""]
    return "\n".join(lines)


def markdown_table(columns: Sequence[str], rows: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines of a table, names to the left, and an empty one."""
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    return [*lines, *(f"| {name} | " + " | ".join(values) + " |" for name, values in rows.items()), ""]


def _slices(evaluation: Evaluation) -> list[str]:
    lines = []
    for part, rows in evaluation.cells.items():
        title, count = evaluation.sizes[part]
        cells = {
            name: [f"{cell.mean:.4f} ± {half_width(cell):.4f}" for cell in row.values()] for name, row in rows.items()
        }
        metrics = next(iter(rows.values()))
        lines += [f"### {part}: {title} ({count:,})", "", *markdown_table([*map(heading, metrics)], cells)]
        if part in evaluation.lead:
            leads = {name: [spread(row[m]) for m in SHOWN] for name, row in evaluation.lead[part].items()}
            lines += [f"{HERO} minus each row, paired, with the range of 95 %:", ""]
            lines += markdown_table([*map(heading, SHOWN)], leads)
    return lines


def _numbers(rows: Mapping[str, Mapping[str, float]]) -> dict[str, list[str]]:
    return {name: [f"{value:.4f}" for value in row.values()] for name, row in rows.items()}
