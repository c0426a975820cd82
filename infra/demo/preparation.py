"""From purchase files to releases: what has to be there before anything can be served."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from infra.base.native_logs import native_logs_to
from infra.base.progress import console
from infra.base.settings import Settings

if TYPE_CHECKING:
    from feature_repo.files.purchase_files import IngestedFiles
    from towers.evaluation.known_best import KnownBestRows
    from towers.training.pipeline import Trained, TrainOptions

_REBUILT = ("tables", "offline", "registry.db", "events", "releases", "measured", "models", "run", "logs")


@dataclass(frozen=True)
class Prepared:
    """Tables and features are built; ``as_of`` is the morning after the newest purchase, where the clock starts."""

    data_dir: Path
    files: IngestedFiles
    as_of: date

    @property
    def known_best(self) -> KnownBestRows:
        """The best possible rankings; they are known only of a synthetic shop."""
        from infra.synthetic.known_best import known_best
        from infra.synthetic.world import WORLD_FILE

        return known_best(self.data_dir) if (self.data_dir / WORLD_FILE).exists() else {}


def forget_former_run(settings: Settings) -> None:
    """Remove what a run builds. Pictures' embeddings stay: they depend on nothing but the pictures."""
    for name in _REBUILT:
        path = settings.var_dir / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def synthetic_shop(settings: Settings) -> Path:
    """The folder of the synthetic shop; written the first time."""
    from infra.synthetic.shop import ShopSize, write_shop
    from infra.synthetic.world import WORLD_FILE

    folder = settings.var_dir / "shop"
    if not (folder / WORLD_FILE).exists():
        with telling("Drawing a synthetic shop"):
            write_shop(ShopSize(), folder)
    return folder


def prepare(
    settings: Settings,
    data_dir: Path,
    backbone: str = "auto",
    *,
    reject_file: Path | None = None,
    time_zone: str = "UTC",
) -> Prepared:
    """Read and validate the files, embed the pictures, compute the features and register them with Feast.

    Args:
        backbone: what embeds the pictures, as in ``vitrine images --backbone``.
        reject_file, time_zone: as in ``vitrine ingest``.
    """
    with telling("Loading Feast and TensorFlow"), native_logs_to(settings.logs_dir / "tensorflow.log"):
        import tensorflow as tf

        from feature_repo.batch.pipeline import build_offline_tables
        from feature_repo.files.purchase_files import ingest
        from feature_repo.store import open_store
        from towers.images.backbone import open_backbone
        from towers.images.build import embed_if_pictured, read_articles

        tf.config.set_visible_devices([], "GPU")
        # Feast resets the filters when it is imported; what its libraries deprecate is not for whoever runs a shop.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
    with telling(f"Reading the purchase files in {data_dir}"):
        files = ingest(data_dir, settings.tables_dir, reject_file=reject_file, time_zone=time_zone)
        for line in files.lines(reject_file):
            console.print(f"  {line}", highlight=False, soft_wrap=True)
    as_of = files.last_day + timedelta(days=1)
    with telling("Embedding the articles' pictures"), native_logs_to(settings.logs_dir / "tensorflow.log"):
        articles = read_articles(settings.tables_dir)
        pictures_dir, out_dir = data_dir / "images", settings.images_dir
        for line in embed_if_pictured(articles, pictures_dir, out_dir, lambda: open_backbone(backbone)):
            console.print(f"  {line}", highlight=False, soft_wrap=True)
    with telling("Computing the features, correct in time"):
        build_offline_tables(settings, as_of)
    with telling("Registering the feature views with Feast"):
        open_store(settings)
    return Prepared(data_dir, files, as_of)


def train(settings: Settings, prepared: Prepared, release: int) -> Trained:
    """Train and measure one release on everything, and write its bundle."""
    from feature_repo.store import open_store
    from towers.training.pipeline import train as train_release

    with telling(f"Training release {release}"), native_logs_to(settings.logs_dir / "tensorflow.log"):
        return train_release(settings, open_store(settings), release, _options(prepared), include_report_day=True)


def train_two(settings: Settings, prepared: Prepared) -> Trained:
    """Write release 1, fitted to all days but the last and measured on that one, and release 2, fitted to all."""
    from feature_repo.store import open_store
    from towers.training import pipeline

    options, log = _options(prepared), settings.logs_dir / "tensorflow.log"
    with telling("Training release 1, without the last day, and measuring it on that day"), native_logs_to(log):
        data = pipeline.open_options(settings, open_store(settings), options)
        fitted, evaluation = pipeline.fit_and_measure(data, options)
        first = pipeline.write(settings, 1, data, options, fitted, evaluation)
    with telling("Training release 2, on all days"), native_logs_to(log):
        everything = pipeline.fit_everything(data, options, fitted)
        pipeline.write(settings, 2, data, options, everything, evaluation)
    return first


def _options(prepared: Prepared) -> TrainOptions:
    from towers.training.pipeline import TrainOptions

    return TrainOptions(prepared.as_of, known_best=prepared.known_best)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    import time

    console.print(f"[bold]{what}[/bold]", highlight=False)
    started = time.monotonic()
    yield
    console.print(f"  done in {time.monotonic() - started:.1f} s", style="dim", highlight=False)
