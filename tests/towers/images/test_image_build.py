"""From pictures to an embedding of every article, and to those of later articles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.base.errors import UserError
from tests.towers.images.picture_worlds import BLUE, GREEN, RED, MeanColour, article_table, write_picture
from towers.images.build import add_new, embed_catalogue, embed_if_pictured, embed_new, read_articles
from towers.images.filling import ANY, Filling
from towers.images.reduction import IMAGE_DIM, Reduction

KINDS = {
    "0100000001": ("Dress", "Red"),
    "0100000002": ("Dress", "Red"),
    "0100000003": ("Dress", "Blue"),
    "0100000004": ("Bag", "Green"),
    "0100000005": ("Dress", "Red"),  # no picture: mean of red dresses
    "0100000006": ("Dress", "Mole"),  # no picture: mean of dresses
    "0100000007": ("Scarf", "Red"),  # no picture: mean of all
    "0100000008": ("Bag", "Green"),  # broken: mean of green bags
}
COLOURS = {"0100000001": RED, "0100000002": (240, 60, 60), "0100000003": BLUE, "0100000004": GREEN}


@pytest.fixture
def pictures_dir(tmp_path: Path) -> Path:
    for article_id, rgb in COLOURS.items():
        write_picture(tmp_path / "images", article_id, rgb)
    broken = write_picture(tmp_path / "images", "0100000008", GREEN)
    broken.write_bytes(b"no picture")
    return tmp_path / "images"


@pytest.fixture
def out_dir(tmp_path: Path, pictures_dir: Path) -> Path:
    embed_catalogue(article_table(KINDS), pictures_dir, tmp_path / "out", MeanColour())
    return tmp_path / "out"


def embeddings(out_dir: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(out_dir / "embeddings.parquet")
    assert table.schema.field("embedding").type == pa.list_(pa.float32())
    return {row["article_id"]: np.array(row["embedding"], np.float32) for row in table.to_pylist()}


def test_every_article_has_an_embedding_in_the_order_of_the_catalogue(out_dir: Path) -> None:
    assert list(embeddings(out_dir)) == list(KINDS)
    assert all(embedding.shape == (IMAGE_DIM,) for embedding in embeddings(out_dir).values())


def test_missing_and_broken_pictures_get_the_mean_of_the_nearest_kind(out_dir: Path) -> None:
    of = embeddings(out_dir)
    red, other_red, blue, green = (of[article_id] for article_id in COLOURS)
    np.testing.assert_allclose(of["0100000005"], (red + other_red) / 2, atol=1e-5)
    np.testing.assert_allclose(of["0100000006"], (red + other_red + blue) / 3, atol=1e-5)
    np.testing.assert_allclose(of["0100000007"], (red + other_red + blue + green) / 4, atol=1e-5)
    np.testing.assert_allclose(of["0100000008"], green, atol=1e-5)


def test_nothing_in_the_file_tells_whether_an_article_has_a_picture(out_dir: Path) -> None:
    assert pq.read_schema(out_dir / "embeddings.parquet").names == ["article_id", "embedding"]


def test_the_report_counts_pictures_and_variance(out_dir: Path) -> None:
    report = json.loads((out_dir / "report.json").read_text())
    counts = {name: report[name] for name in ("articles", "pictured", "missing", "broken", "from_cache")}
    assert counts == {"articles": 8, "pictured": 4, "missing": 3, "broken": 1, "from_cache": 0}
    assert list(report["broken_pictures"]) == ["0100000008"]
    assert report["backbone"] == "mean-colour"
    assert report["variance_kept"] == 1.0
    assert 1 <= report["components_for_aim"] <= 3


def test_a_later_article_is_embedded_as_if_it_had_been_there(out_dir: Path, pictures_dir: Path) -> None:
    before = (out_dir / "pca.npz").read_bytes()
    write_picture(pictures_dir, "0100000011", RED)  # the very picture of 0100000001
    later = article_table({"0100000011": ("Skirt", "Red"), "0100000012": ("Dress", "Red")})
    backbone = MeanColour()
    new = embed_new(later, pictures_dir, out_dir, backbone)
    of = embeddings(out_dir)
    np.testing.assert_allclose(new[0], of["0100000001"], atol=1e-5)
    np.testing.assert_allclose(new[1], of["0100000005"], atol=1e-5)
    assert backbone.embedded == 1
    assert (out_dir / "pca.npz").read_bytes() == before


def test_later_articles_are_added_and_all_else_stays(out_dir: Path, pictures_dir: Path) -> None:
    before, pca = embeddings(out_dir), (out_dir / "pca.npz").read_bytes()
    catalogue = article_table({**KINDS, "0100000012": ("Dress", "Red")})
    assert add_new(catalogue, pictures_dir, out_dir, MeanColour()) == 1
    assert add_new(catalogue, pictures_dir, out_dir, MeanColour()) == 0
    after = embeddings(out_dir)
    np.testing.assert_array_equal(after.pop("0100000012"), before["0100000005"])
    assert list(after) == list(before)
    for article_id, embedding in before.items():
        np.testing.assert_array_equal(after[article_id], embedding)
    assert (out_dir / "pca.npz").read_bytes() == pca


def test_there_must_be_a_catalogue_to_add_to(pictures_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="embed the whole catalogue first"):
        add_new(article_table(KINDS), pictures_dir, tmp_path / "none", MeanColour())


def test_later_articles_may_all_be_without_pictures(out_dir: Path, tmp_path: Path) -> None:
    new = embed_new(article_table({"0100000012": ("Dress", "Red")}), tmp_path / "none", out_dir, MeanColour())
    np.testing.assert_allclose(new[0], embeddings(out_dir)["0100000005"], atol=1e-5)


def test_another_backbone_than_the_catalogues_is_refused(out_dir: Path, pictures_dir: Path) -> None:
    other = MeanColour()
    other.name = "another"
    with pytest.raises(UserError, match="was fitted to mean-colour"):
        embed_new(article_table(KINDS), pictures_dir, out_dir, other)


def test_a_second_run_writes_the_same_embeddings_from_the_cache(out_dir: Path, pictures_dir: Path) -> None:
    first = embeddings(out_dir)
    report = embed_catalogue(article_table(KINDS), pictures_dir, out_dir, MeanColour())
    assert report.from_cache == 4
    for article_id, embedding in embeddings(out_dir).items():
        np.testing.assert_array_equal(embedding, first[article_id])


def test_a_shop_without_pictures_is_told_to_leave_the_step_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave out `vitrine images`"):
        embed_catalogue(article_table(KINDS), tmp_path / "images", tmp_path / "out", MeanColour())


def never() -> MeanColour:
    raise AssertionError("a backbone was opened for nothing")


def test_a_shop_without_a_pictures_folder_goes_on_and_says_so(tmp_path: Path) -> None:
    lines = embed_if_pictured(article_table(KINDS), tmp_path / "images", tmp_path / "out", never)
    assert lines == [f"pictures are left out: {tmp_path / 'images'} is missing"]
    assert not (tmp_path / "out" / "embeddings.parquet").exists()


def test_pictures_that_are_not_where_they_are_expected_are_left_out_with_the_place(tmp_path: Path) -> None:
    write_picture(tmp_path / "images", "0900000001", RED)  # of an article that is not in the catalogue
    (line,) = embed_if_pictured(article_table(KINDS), tmp_path / "images", tmp_path / "out", never)
    assert line.startswith("pictures are left out: ")
    assert str(tmp_path / "images" / "010" / "0100000001.jpg") in line


@pytest.mark.parametrize("readable", [1, 2, 3])
def test_too_few_pictures_are_left_out_and_those_that_cannot_be_read_are_named(tmp_path: Path, readable: int) -> None:
    for article_id in list(COLOURS)[:readable]:
        write_picture(tmp_path / "images", article_id, COLOURS[article_id])
    for article_id in list(COLOURS)[readable:]:
        write_picture(tmp_path / "images", article_id, RED).write_bytes(b"no picture")
    (line,) = embed_if_pictured(article_table(KINDS), tmp_path / "images", tmp_path / "out", MeanColour)
    assert f"holds {readable} readable pictures of articles, fewer than 4" in line
    assert "0100000004.jpg" in line


def test_pictures_that_all_look_the_same_are_left_out(tmp_path: Path) -> None:
    for article_id in KINDS:
        write_picture(tmp_path / "images", article_id, GREEN)
    (line,) = embed_if_pictured(article_table(KINDS), tmp_path / "images", tmp_path / "out", MeanColour)
    assert line == f"pictures are left out: all 8 pictures in {tmp_path / 'images'} look the same"


def test_where_pictures_are_left_out_nothing_is_left_of_an_earlier_run(out_dir: Path, pictures_dir: Path) -> None:
    for picture in pictures_dir.glob("*/*.jpg"):
        picture.unlink()
    embed_if_pictured(article_table(KINDS), pictures_dir, out_dir, never)
    # The cache stays: pictures that come back need not be embedded again.
    assert [path.name for path in out_dir.iterdir()] == ["cache"]


def test_a_shop_with_some_pictures_is_told_how_many_and_which_cannot_be_read(
    pictures_dir: Path, tmp_path: Path
) -> None:
    lines = embed_if_pictured(article_table(KINDS), pictures_dir, tmp_path / "out", MeanColour)
    assert "8 articles, 4 with a picture" in lines[0]
    assert lines[1].startswith(f"unreadable: {pictures_dir / '010' / '0100000008.jpg'}: ")


def test_tables_that_are_not_there_name_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vitrine ingest"):
        read_articles(tmp_path)


def test_a_stored_filling_fills_the_same(tmp_path: Path) -> None:
    kinds = [("Dress", "Red"), ("Dress", "Blue"), ("Bag", "Blue")]
    filling = Filling.fit(kinds, np.eye(3, 4, dtype=np.float32))
    filling.save(tmp_path / "filling.npz")
    loaded = Filling.load(tmp_path / "filling.npz")
    for kind in [*kinds, ("Dress", "Green"), ("Hat", "Red"), (ANY, ANY)]:
        np.testing.assert_array_equal(loaded(kind), filling(kind))


def test_the_stored_pca_is_the_one_behind_the_file(out_dir: Path) -> None:
    reduction = Reduction.load(out_dir / "pca.npz")
    expected = reduction.transform(np.array([RED], np.float32))[0]
    np.testing.assert_allclose(embeddings(out_dir)["0100000001"], expected, atol=0.1)  # JPEG rounds the colour
