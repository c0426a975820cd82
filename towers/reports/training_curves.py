"""Losses and metrics of each epoch, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.base.errors import UserError

VALIDATION_PREFIX = "val_"
_PAPER, _INK = "#fffdfa", "#23211f"
_COLOURS = ("#2f5d8a", "#c2613c", "#4c8a5b", "#7d5a94")


def training_curves(epochs: Sequence[Mapping[str, float]], output: Path, title: str = "") -> Path:
    """Draw one small chart a measure over the epochs; ``val_loss`` goes dashed beside ``loss``.

    Args:
        epochs: values by name, one mapping an epoch, as Keras' ``History`` turned by epoch; a measure may be missing
            in some epochs. Names that end in ``loss`` come first.
        output: ``.png``.

    Raises:
        UserError: there is no epoch.
    """
    if not epochs:
        raise UserError(f"{output} would be empty: no epoch was trained")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import MaxNLocator

    measures = _measures(epochs)
    columns = min(3, len(measures))
    rows = -(-len(measures) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(4.6 * columns, 3.1 * rows), dpi=130, squeeze=False, layout="constrained"
    )
    figure.set_facecolor(_PAPER)
    for index, axes in enumerate(grid.flat):
        if index >= len(measures):
            axes.set_visible(False)
            continue
        measure = measures[index]
        for name, style in ((measure, "-"), (VALIDATION_PREFIX + measure, "--")):
            known = [(epoch, values[name]) for epoch, values in enumerate(epochs, start=1) if name in values]
            if known:
                label = "validation" if name.startswith(VALIDATION_PREFIX) else "training"
                axes.plot(*zip(*known, strict=True), style, marker="o", ms=3.5, label=label, color=_COLOURS[index % 4])
        axes.set_title(measure.replace("_", " "), loc="left", fontsize=10, color=_INK)
        axes.set_xlabel("epoch", fontsize=8)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if len(axes.lines) > 1:
            axes.legend(frameon=False, fontsize=8)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=_INK)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, facecolor=_PAPER)
    plt.close(figure)
    return output


def _measures(epochs: Sequence[Mapping[str, float]]) -> list[str]:
    names = dict.fromkeys(name.removeprefix(VALIDATION_PREFIX) for values in epochs for name in values)
    names.pop("epoch", None)
    return sorted(names, key=lambda name: not name.endswith("loss"))
