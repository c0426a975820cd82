"""From pictures to the file of embeddings, and from later articles to theirs.

Files in ``var/images``: ``embeddings.parquet`` (article_id, embedding: 256 float32 for every article),
``pca.npz``, ``filling.npz``, ``report.json`` and the resumable ``cache/`` of raw embeddings.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infra.base.errors import UserError
from infra.base.figures import Figure, write_figures
from towers.images.backbone import Backbone, open_backbone
from towers.images.embedding import EmbeddedPictures, embed_pictures
from towers.images.filling import Filling, Kind
from towers.images.pictures import Picture, find_pictures, picture_path
from towers.images.reduction import IMAGE_DIM, VARIANCE_AIM, Reduction

ARTICLE_COLUMNS = ("article_id", "product_type_name", "colour_group_name")
LEAST_PICTURES = 4
"""Three lie in one plane wherever they are: the axes would say which of the three an article is, not what it is."""
_BROKEN_NAMED = 3
_WRITTEN = ("embeddings.parquet", "pca.npz", "filling.npz", "report.json")


class TooFewPicturesError(UserError):
    """There are not enough pictures to learn anything from.

    Attributes:
        reason: what there is instead.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason}; for a shop without pictures, leave out `vitrine images`")
        self.reason = reason


@dataclass(frozen=True)
class ImageReport:
    """What ``vitrine images`` did."""

    backbone: str
    weights_digest: str
    articles: int
    pictured: int
    missing: int
    broken: int
    from_cache: int
    seconds: float
    components: int
    variance_kept: float
    variance_aim: float
    components_for_aim: int
    broken_pictures: Mapping[str, str]  # article id -> what is wrong with its picture

    def lines(self) -> list[str]:
        """For the terminal."""
        computed = self.pictured - self.from_cache
        named = [f"unreadable: {why}" for why in list(self.broken_pictures.values())[:_BROKEN_NAMED]]
        if self.broken > _BROKEN_NAMED:
            named.append(f"and {self.broken - _BROKEN_NAMED:,} more, all named in report.json")
        return [
            f"{self.articles:,} articles, {self.pictured:,} with a picture ({self.from_cache:,} known already), "
            f"{self.missing:,} without and {self.broken:,} broken (these are filled by their kind's mean)",
            *named,
            f"{self.backbone}: {computed:,} pictures embedded in {self.seconds:.1f} s",
            f"PCA: {self.components} components keep {self.variance_kept:.1%} of the variance; "
            f"{self.variance_aim:.0%} would take {self.components_for_aim}",
        ]

    def write_figures(self, reports_dir: Path) -> Path:
        """Write ``figures/images.json``."""
        figures = {
            "pictures": Figure(self.pictured, "pictures"),
            "missing": Figure(self.missing, "articles"),
            "broken": Figure(self.broken, "pictures"),
            "variance_kept": Figure(self.variance_kept, "share"),
            "components_for_95_percent": Figure(self.components_for_aim, "components"),
        }
        if self.from_cache == 0:
            figures["ms_per_picture"] = Figure(1000 * self.seconds / max(1, self.pictured), "ms")
        return write_figures(reports_dir, "images", figures)


def read_articles(tables_dir: Path) -> pa.Table:
    """ARTICLE_COLUMNS of what ``vitrine ingest`` wrote.

    Raises:
        UserError: it has not run.
    """
    path = tables_dir / "articles.parquet"
    if not path.is_file():
        raise UserError(f"{path} is missing; read the shop's files first with `vitrine ingest DATA_DIR`")
    return pq.read_table(path, columns=list(ARTICLE_COLUMNS))


def embed_catalogue(articles: pa.Table, pictures_dir: Path, out_dir: Path, backbone: Backbone) -> ImageReport:
    """Embed all pictures, fit and store PCA and filling, and write an embedding for every article.

    Args:
        articles: ARTICLE_COLUMNS, one row an article.
        pictures_dir: folder of ``010/0108775015.jpg`` and so on.
        out_dir: where the files go (``Settings.images_dir``).

    Raises:
        TooFewPicturesError: fewer than LEAST_PICTURES can be read, or all look the same.
    """
    pictures = _pictures(articles, pictures_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    embedded = embed_pictures(backbone, pictures, out_dir / "cache")
    reduction = _fit(embedded, pictures_dir, backbone)
    reduced = reduction.transform(embedded.vectors)
    kind_of = dict(zip(_ids(articles), _kinds(articles), strict=True))
    filling = Filling.fit([kind_of[article_id] for article_id in embedded.article_ids], reduced)
    embeddings = _complete(articles, embedded.article_ids, reduced, filling)

    reduction.save(out_dir / "pca.npz")
    filling.save(out_dir / "filling.npz")
    _write_embeddings(_ids(articles), embeddings, out_dir / "embeddings.parquet")
    report = _report(articles, embedded, reduction, time.monotonic() - started)
    (out_dir / "report.json").write_text(json.dumps(asdict(report), indent=2) + "\n")
    return report


def embed_if_pictured(
    articles: pa.Table, pictures_dir: Path, out_dir: Path, choose: Callable[[], Backbone]
) -> list[str]:
    """``embed_catalogue`` for a shop that may have no pictures: then it is as if there had never been any.

    Args:
        articles, pictures_dir, out_dir: as of ``embed_catalogue``.
        choose: opens the backbone, which may take a download; not asked where there is nothing to embed.

    Returns:
        What was done, for the terminal.
    """
    try:
        _pictures(articles, pictures_dir)
        return embed_catalogue(articles, pictures_dir, out_dir, choose()).lines()
    except TooFewPicturesError as error:
        for name in _WRITTEN:
            (out_dir / name).unlink(missing_ok=True)
        return [f"pictures are left out: {error.reason}"]


def _pictures(articles: pa.Table, pictures_dir: Path) -> list[Picture]:
    """The catalogue's pictures, LEAST_PICTURES at least."""
    if not pictures_dir.is_dir():
        raise TooFewPicturesError(f"{pictures_dir} is missing")
    ids = _ids(articles)
    pictures = find_pictures(pictures_dir, ids)
    if not pictures and ids:
        expected = picture_path(pictures_dir, ids[0])
        raise TooFewPicturesError(f"{pictures_dir} holds none of any article, expected as {expected}")
    if len(pictures) < LEAST_PICTURES:
        raise TooFewPicturesError(_too_few(pictures_dir, len(pictures), "pictures"))
    return pictures


def _fit(embedded: EmbeddedPictures, pictures_dir: Path, backbone: Backbone) -> Reduction:
    count = len(embedded.article_ids)
    if count < LEAST_PICTURES:
        wrong = "; ".join(list(embedded.broken.values())[:_BROKEN_NAMED])
        raise TooFewPicturesError(f"{_too_few(pictures_dir, count, 'readable pictures')}; unreadable: {wrong}")
    reduction = Reduction.fit(embedded.vectors, backbone.name, backbone.weights_digest)
    if not reduction.tells_apart:
        raise TooFewPicturesError(f"all {count} pictures in {pictures_dir} look the same")
    return reduction


def _too_few(pictures_dir: Path, count: int, what: str) -> str:
    return f"{pictures_dir} holds {count} {what} of articles, fewer than {LEAST_PICTURES}"


def embed_new(
    articles: pa.Table, pictures_dir: Path, images_dir: Path, backbone: Backbone | None = None
) -> npt.NDArray[np.float32]:
    """Embeddings [n, 256] of articles that came after the catalogue was embedded, by its stored PCA and means.

    Args:
        articles: ARTICLE_COLUMNS, in the order of the result.
        pictures_dir: where their pictures lie; an article without one gets the mean of its kind.
        images_dir: the folder that ``embed_catalogue`` wrote.
        backbone: the one that the catalogue was embedded by; opened if not given.

    Raises:
        UserError: the backbone or its weights are others than the catalogue's.
    """
    reduction = Reduction.load(images_dir / "pca.npz")
    backbone = backbone or open_backbone(reduction.backbone)
    if (backbone.name, backbone.weights_digest) != (reduction.backbone, reduction.weights_digest):
        raise UserError(
            f"{images_dir / 'pca.npz'} was fitted to {reduction.backbone} ({reduction.weights_digest[:12]}), not to "
            f"{backbone.name} ({backbone.weights_digest[:12]}); use that backbone or run `vitrine images` again"
        )
    embedded = embed_pictures(backbone, find_pictures(pictures_dir, _ids(articles)), images_dir / "cache")
    filling = Filling.load(images_dir / "filling.npz")
    return _complete(articles, embedded.article_ids, reduction.transform(embedded.vectors), filling)


def add_new(articles: pa.Table, pictures_dir: Path, images_dir: Path, backbone: Backbone | None = None) -> int:
    """Add those of these articles that have no embedding yet to ``embeddings.parquet``; the others stay as they are.

    Args:
        articles, pictures_dir, images_dir, backbone: as of ``embed_new``.

    Returns:
        How many were added.

    Raises:
        UserError: the catalogue was never embedded, or by another backbone.
    """
    path = images_dir / "embeddings.parquet"
    if not path.is_file():
        raise UserError(f"{path} is missing; embed the whole catalogue first with `vitrine images DATA_DIR`")
    known = pq.read_table(path)
    later = articles.filter(pc.invert(pc.is_in(articles["article_id"], value_set=known["article_id"])))
    if len(later):
        embeddings = embed_new(later, pictures_dir, images_dir, backbone)
        former = np.stack(known["embedding"].to_numpy(zero_copy_only=False)).astype(np.float32)
        _write_embeddings([*_ids(known), *_ids(later)], np.concatenate([former, embeddings]), path)
    return len(later)


def _complete(
    articles: pa.Table, pictured: list[str], reduced: npt.NDArray[np.float32], filling: Filling
) -> npt.NDArray[np.float32]:
    row_of = {article_id: row for row, article_id in enumerate(pictured)}
    embeddings = np.empty((len(articles), IMAGE_DIM), np.float32)
    for position, (article_id, kind) in enumerate(zip(_ids(articles), _kinds(articles), strict=True)):
        row = row_of.get(article_id)
        embeddings[position] = filling(kind) if row is None else reduced[row]
    return embeddings


def _ids(articles: pa.Table) -> list[str]:
    ids: list[str] = articles["article_id"].to_pylist()
    return ids


def _kinds(articles: pa.Table) -> list[Kind]:
    types, colours = (articles[name].to_pylist() for name in ("product_type_name", "colour_group_name"))
    return [(product_type or "", colour or "") for product_type, colour in zip(types, colours, strict=True)]


def _write_embeddings(article_ids: list[str], embeddings: npt.NDArray[np.float32], path: Path) -> None:
    offsets = pa.array(np.arange(len(embeddings) + 1, dtype=np.int32) * IMAGE_DIM)
    lists = pa.ListArray.from_arrays(offsets, pa.array(embeddings.reshape(-1)))
    table = pa.table({"article_id": pa.array(article_ids, pa.string()), "embedding": lists})
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, compression="zstd")
    partial.replace(path)


def _report(articles: pa.Table, embedded: EmbeddedPictures, reduction: Reduction, seconds: float) -> ImageReport:
    pictured = len(embedded.article_ids)
    return ImageReport(
        backbone=reduction.backbone,
        weights_digest=reduction.weights_digest,
        articles=len(articles),
        pictured=pictured,
        missing=len(articles) - pictured - len(embedded.broken),
        broken=len(embedded.broken),
        from_cache=embedded.from_cache,
        seconds=round(seconds, 2),
        components=len(reduction.components),
        variance_kept=round(reduction.share_kept, 4),
        variance_aim=VARIANCE_AIM,
        components_for_aim=reduction.components_for_aim,
        broken_pictures=embedded.broken,
    )
