"""Contact sheets, maps of pictures and training curves: files of the expected size with the expected marks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from infra.base.errors import UserError
from towers.reports.contact_sheet import SheetRow, Tile, contact_sheet
from towers.reports.lettering import fit_lines, font
from towers.reports.thumbnails import colour_rgb, thumbnail
from towers.reports.training_curves import training_curves
from towers.reports.tsne import draw_picture_maps, nearest_free_cells, picture_map

TAG_GREY = (125, 118, 110)
IDS = [f"01{number:08d}" for number in range(24)]


@pytest.fixture
def images_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "images" / "010"
    folder.mkdir(parents=True)
    for number, article_id in enumerate(IDS):
        Image.new("RGB", (40, 60), (10 * number, 80, 255 - 10 * number)).save(folder / f"{article_id}.jpg")
    return tmp_path / "images"


def tiles(*article_ids: str) -> list[Tile]:
    return [Tile(article_id, f"Article {article_id}", "because of the test") for article_id in article_ids]


def pixels_of(path: Path, rgb: tuple[int, int, int]) -> int:
    with Image.open(path) as image:
        return int((np.asarray(image.convert("RGB")) == rgb).all(axis=-1).sum())


def sheet_size(rows: list[SheetRow], images_dir: Path, output: Path) -> tuple[int, int]:
    with Image.open(contact_sheet(rows, images_dir, output)) as image:
        return image.size


def test_a_sheet_is_as_high_as_its_customers(images_dir: Path, tmp_path: Path) -> None:
    row = SheetRow("A customer", tiles(*IDS[:4]), tiles(*IDS[4:10]))
    width, height = sheet_size([row], images_dir, tmp_path / "one.png")
    assert 1200 < width < 1800
    assert sheet_size([row, row], images_dir, tmp_path / "two.png")[1] > 1.8 * height


def test_recommendations_wrap_and_history_does_not(images_dir: Path, tmp_path: Path) -> None:
    short = SheetRow("A customer", tiles(*IDS[:8]), tiles(*IDS[:8]))
    long_history = SheetRow("A customer", tiles(*IDS[:20]), tiles(*IDS[:8]))
    more = SheetRow("A customer", tiles(*IDS[:8]), tiles(*IDS[:9]))
    height = sheet_size([short], images_dir, tmp_path / "sheet.png")[1]
    assert sheet_size([long_history], images_dir, tmp_path / "sheet.png")[1] == height
    assert sheet_size([more], images_dir, tmp_path / "sheet.png")[1] > height


def test_what_was_bought_again_stands_once_and_is_tagged(images_dir: Path, tmp_path: Path) -> None:
    once = SheetRow("A customer", tiles(*IDS[:2]), tiles(*IDS[3:6]))
    again = SheetRow("A customer", tiles(*IDS[:2], IDS[0]), tiles(*IDS[3:6]))
    of_once = pixels_of(contact_sheet([once], images_dir, tmp_path / "once.png"), TAG_GREY)
    assert pixels_of(contact_sheet([again], images_dir, tmp_path / "again.png"), TAG_GREY) > of_once + 300


def test_missing_pictures_new_customers_and_long_words_do_no_harm(images_dir: Path, tmp_path: Path) -> None:
    awkward = Tile("0999999999", "Donaudampfschifffahrtsgesellschaftskapitänsmütze " * 3, "ohne " * 40, "Dark Blue")
    rows = [
        SheetRow("New", [], [awkward]),
        SheetRow("", [awkward, awkward], []),
    ]
    assert contact_sheet(rows, images_dir, tmp_path / "deep" / "sheet.jpg").is_file()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["sheet.jpg"]
    with pytest.raises(UserError, match="at least one customer"):
        contact_sheet([], images_dir, tmp_path / "sheet.png")


def test_a_missing_picture_becomes_a_tile_in_the_articles_colour(images_dir: Path) -> None:
    tile = thumbnail(images_dir, "0999999999", (60, 90), "Jacket", "Dark Blue")
    assert tile.size == (60, 90)
    assert tile.getpixel((1, 1)) == colour_rgb("Dark Blue")


def test_colours_are_told_from_their_names() -> None:
    assert sum(colour_rgb("Dark Blue")) < sum(colour_rgb("Blue")) < sum(colour_rgb("Light Blue"))
    assert colour_rgb("Yellowish Brown") != colour_rgb("Brown")
    assert colour_rgb("Greenish Khaki") == colour_rgb("Green Khaki")
    assert colour_rgb("") == colour_rgb("Transparent")


def test_lines_fit_their_width_and_say_when_something_is_left_out() -> None:
    letters = font(13)
    lines = fit_lines("Because you bought Jade HW Skinny Denim TRS in blue", letters, 120, 2)
    assert len(lines) == 2
    assert all(letters.getlength(line) <= 120 for line in lines)
    assert lines[-1].endswith("…")
    assert fit_lines("Tilly tank", letters, 120, 2) == ["Tilly tank"]
    assert fit_lines("", letters, 120, 2) == []


def test_each_picture_has_a_cell_of_its_own() -> None:
    points = np.random.default_rng(4).normal(0.5, 0.01, (48, 2))  # all in one heap
    cells = nearest_free_cells(points, columns=8, rows=6)
    assert len(set(cells)) == 48
    assert {column for column, _ in cells} == set(range(8))
    assert {row for _, row in cells} == set(range(6))


def test_alike_pictures_lie_side_by_side() -> None:
    rng = np.random.default_rng(6)
    kinds = np.repeat(np.eye(3, 8, dtype=np.float32), 20, axis=0)
    points = picture_map(kinds + rng.normal(0, 0.01, kinds.shape).astype(np.float32), seed=1)
    assert (points.min(axis=0) >= 0).all()
    assert (points.max(axis=0) <= 1).all()
    middles = points.reshape(3, 20, 2).mean(axis=1)
    nearest = ((points[:, None] - middles) ** 2).sum(axis=2).argmin(axis=1)
    assert nearest.tolist() == np.repeat(range(3), 20).tolist()


def test_both_maps_are_drawn_of_the_pictured_articles(images_dir: Path, tmp_path: Path) -> None:
    ids = [*IDS, "0999999999"]  # the last one has no picture
    groups = ["Knitwear" if number % 2 else "Shoes" for number in range(len(ids))]
    pq.write_table(pa.table({"article_id": ids, "garment_group_name": groups}), tmp_path / "articles.parquet")
    vectors = np.random.default_rng(1).normal(size=(len(ids), 256)).astype(np.float32)
    table = pa.table({"article_id": ids, "embedding": pa.array(vectors.tolist(), pa.list_(pa.float32()))})
    pq.write_table(table, tmp_path / "embeddings.parquet")
    for path in draw_picture_maps(tmp_path, tmp_path, images_dir, tmp_path / "reports", seed=3):
        with Image.open(path) as image:
            assert min(image.size) > 300


def test_too_few_pictures_for_a_map_are_told() -> None:
    with pytest.raises(UserError, match="3 pictures are too few"):
        picture_map(np.eye(3, dtype=np.float32), seed=1)


def test_curves_of_every_measure_are_drawn(tmp_path: Path) -> None:
    measures = {"towers' loss": [1.0, 0.5, 0.4], "ranker's loss": [0.2], "of nothing": []}
    path = training_curves(measures, tmp_path / "reports" / "curves.png", "Two models")
    assert path is not None
    with Image.open(path) as image:
        assert 2.5 * image.height < image.width < 3.5 * image.height  # two charts side by side
    assert training_curves({"towers' loss": []}, tmp_path / "none.png", "Nothing") is None
    assert not (tmp_path / "none.png").exists()
