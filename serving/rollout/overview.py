"""The table of ``vitrine rollout status``: what the file says and what the server does."""

from __future__ import annotations

from rich.table import Table

from infra.base.settings import Settings
from serving.release.manifest import MODELS
from serving.rollout.model_server_client import connect
from serving.rollout.releases import Releases
from serving.rollout.rollout import CONFIG_FILE_NAME


def overview(settings: Settings) -> Table:
    """One row per release, newest first.

    Raises:
        UserError: the server does not answer, or the file cannot be read.
    """
    releases = Releases.read(settings.model_base_dir / CONFIG_FILE_NAME)
    with connect(settings.tf_serving_address) as server:
        statuses = server.all_statuses()
        serving = server.stable_releases()
    states = {
        model: {status.version: status.error or status.state.name for status in statuses[model]} for model in MODELS
    }
    numbers = releases.loaded.union(*states.values())
    bundles = {int(folder.name) for folder in settings.releases_dir.glob("*") if folder.name.isdigit()}
    table = Table(title=f"Releases at {settings.tf_serving_address}", title_justify="left")
    for heading in ("release", "file", "bundle", *MODELS):
        table.add_column(heading)
    for number in sorted(numbers | bundles, reverse=True):
        labels = [label for label, at in (("stable", releases.stable), ("previous", releases.previous)) if at == number]
        said = ", ".join(labels) or ("loaded" if number in releases.loaded else "")
        bundle = "yes" if number in bundles else "missing"
        cells = (_cell(states[model].get(number), serving[model] == number) for model in MODELS)
        table.add_row(str(number), said, bundle, *cells)
    return table


def _cell(state: str | None, stable: bool) -> str:
    return (state or "") + (" (stable)" if stable else "")
