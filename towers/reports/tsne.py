"""A map of the shop by its pictures: t-SNE of the image embeddings, once with thumbnails, once by garment group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from PIL import Image
from scipy.spatial import cKDTree

from infra.base.errors import UserError
from towers.images.pictures import find_pictures
from towers.reports.thumbnails import rounded, thumbnail

Points = npt.NDArray[np.float64]  # [n, 2] within the unit square

MAX_PICTURES = 1_500
_THUMB = (56, 84)
_CELL = (60, 88)
_OCCUPIED_SHARE = 0.62  # of the map's cells, so that islands stay islands
_GROUPS_COLOURED = 14
_PAPER = "#f7f5f1"


def draw_picture_maps(
    tables_dir: Path, embeddings_dir: Path, pictures_dir: Path, reports_dir: Path, seed: int
) -> tuple[Path, Path]:
    """Draw both maps of at most MAX_PICTURES pictured articles.

    Args:
        tables_dir: what ``vitrine ingest`` wrote.
        embeddings_dir: what ``vitrine images`` wrote.
        pictures_dir: folder of ``010/0108775015.jpg`` and so on.
        reports_dir: gets ``picture_map.jpg`` and ``picture_map_garment_groups.png``.
        seed: draws the articles and starts the layout.
    """
    articles = pq.read_table(tables_dir / "articles.parquet", columns=["article_id", "garment_group_name"])
    group_of = dict(zip(*(articles[name].to_pylist() for name in articles.column_names), strict=True))
    table = pq.read_table(embeddings_dir / "embeddings.parquet")
    all_ids = table["article_id"].to_pylist()
    pictured = {picture.article_id for picture in find_pictures(pictures_dir, all_ids)}
    positions = np.array([position for position, article_id in enumerate(all_ids) if article_id in pictured], np.int64)
    most = min(MAX_PICTURES, len(positions))
    positions = np.sort(np.random.default_rng(seed).choice(positions, most, replace=False))
    article_ids = [all_ids[position] for position in positions]
    embeddings = np.array(table["embedding"].take(positions).to_pylist(), np.float32)
    points = picture_map(embeddings, seed)
    groups = [group_of.get(article_id) or "unknown" for article_id in article_ids]
    return (
        draw_thumbnails(points, article_ids, pictures_dir, reports_dir / "picture_map.jpg"),
        draw_groups(points, groups, reports_dir / "picture_map_garment_groups.png"),
    )


def picture_map(embeddings: npt.NDArray[np.float32], seed: int) -> Points:
    """Places of embeddings [n, d] in the unit square; alike pictures lie side by side.

    van der Maaten and Hinton 2008, https://www.jmlr.org/papers/v9/vandermaaten08a.html.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if len(embeddings) < 10:
        raise UserError(f"{len(embeddings)} pictures are too few for a map; it takes ten")
    perplexity = min(30.0, (len(embeddings) - 1) / 3)
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed, metric="cosine")
    with threadpool_limits(1):  # its threads wait for each other so often that two take longer than one
        places: Points = tsne.fit_transform(embeddings).astype(np.float64)
    low, high = places.min(axis=0), places.max(axis=0)
    return (places - low) / np.maximum(high - low, 1e-9)


def draw_thumbnails(points: Points, article_ids: Sequence[str], images_dir: Path, output: Path) -> Path:
    """Write the map with each article's picture in the free cell nearest to its place."""
    columns = int(np.ceil(np.sqrt(len(points) / _OCCUPIED_SHARE * _CELL[1] / _CELL[0])))
    rows = int(np.ceil(len(points) / _OCCUPIED_SHARE / columns))
    margin = _CELL[1] // 2
    sheet = Image.new("RGB", (columns * _CELL[0] + 2 * margin, rows * _CELL[1] + 2 * margin), _PAPER)
    for article_id, (column, row) in zip(article_ids, nearest_free_cells(points, columns, rows), strict=True):
        picture = thumbnail(images_dir, article_id, _THUMB)
        sheet.paste(picture, (margin + column * _CELL[0], margin + row * _CELL[1]), rounded(picture, 4))
    output.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(output, quality=88, optimize=True)
    return output


def nearest_free_cells(points: Points, columns: int, rows: int) -> list[tuple[int, int]]:
    """A (column, row) of its own for each point, points in dense places first come first served."""
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)  # [cells, 2]
    tree = cKDTree((cells + 0.5) / (columns, rows))
    crowding = cKDTree(points).query(points, k=min(8, len(points)))[0].mean(axis=1)
    chosen: list[tuple[int, int]] = [(0, 0)] * len(points)
    taken: set[int] = set()
    for position in np.argsort(crowding):
        near, cell = 8, None
        while cell is None:
            candidates = np.atleast_1d(tree.query(points[position], k=min(near, len(cells)))[1])
            cell = next((int(c) for c in candidates if int(c) not in taken), None)
            near *= 4
        taken.add(cell)
        chosen[position] = (int(cells[cell][0]), int(cells[cell][1]))
    return chosen


def draw_groups(points: Points, groups: Sequence[str], output: Path) -> Path:
    """Write the map as dots in the colour of their garment group, each large group named where it is densest."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patheffects import withStroke

    largest = [group for group, _ in Counter(groups).most_common(_GROUPS_COLOURED)]
    colours = plt.get_cmap("tab20")(np.linspace(0, 1, 20))
    names = np.array(groups)
    figure, axes = plt.subplots(figsize=(12, 10), dpi=130, facecolor=_PAPER)
    others = ~np.isin(names, largest)
    axes.scatter(*points[others].T, s=12, color="#c9c4bb", linewidths=0, label=f"others ({others.sum():,})")
    for index, group in enumerate(largest):
        mine = points[names == group]
        axes.scatter(*mine.T, s=16, color=colours[index], linewidths=0, alpha=0.9, label=f"{group} ({len(mine):,})")
    hearts = _apart(np.array([_heart(points[names == group]) for group in largest]))
    for group, heart in zip(largest, hearts, strict=True):
        label = axes.text(*heart, group, fontsize=10, weight="bold", ha="center", va="center", color="#23211f")
        label.set_path_effects([withStroke(linewidth=3, foreground=_PAPER)])
    axes.set_title(f"Pictures of {len(points):,} articles by t-SNE, by garment group", loc="left", fontsize=13)
    axes.set_axis_off()
    axes.invert_yaxis()  # as the thumbnails lie: rows count downwards
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9, markerscale=1.6)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, bbox_inches="tight", facecolor=_PAPER)
    plt.close(figure)
    return output


def _heart(points: Points) -> npt.NDArray[np.float64]:
    """The point with the nearest neighbours: a group may lie on several islands, and their mean in the sea."""
    neighbours = min(12, len(points))
    distances = cKDTree(points).query(points, k=neighbours)[0].reshape(len(points), -1).mean(axis=1)
    heart: npt.NDArray[np.float64] = points[distances.argmin()]
    return heart


def _apart(places: Points, width: float = 0.14, height: float = 0.026) -> Points:
    """Labels of that size moved up and down until none covers another, or nearly so."""
    places = places.copy()
    for _ in range(60):
        for i in range(len(places)):
            for j in range(i):
                gap = places[i] - places[j]
                if abs(gap[0]) < width and abs(gap[1]) < height:
                    step = (height - abs(gap[1])) / 2 * (1 if gap[1] >= 0 else -1)
                    places[i, 1] += step
                    places[j, 1] -= step
    return places
