"""Reading pictures and running a network over them, again after a kill."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.towers.images.picture_worlds import BLUE, GREEN, RED, MeanColour, write_picture
from towers.images import embedding
from towers.images.embedding import embed_pictures
from towers.images.pictures import BrokenPictureError, find_pictures, picture_path, read_square

IDS = [f"01{number:08d}" for number in range(23)]


@pytest.fixture
def images_dir(tmp_path: Path) -> Path:
    for number, article_id in enumerate(IDS):
        write_picture(tmp_path / "images", article_id, (10 * number, 255 - 10 * number, 7 * number))
    return tmp_path / "images"


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "BATCH_PICTURES", 3)
    monkeypatch.setattr(embedding, "PART_PICTURES", 5)


def test_embeddings_come_in_the_order_asked_for(images_dir: Path, tmp_path: Path) -> None:
    asked = [IDS[9], IDS[2], "0999999999", IDS[17]]
    embedded = embed_pictures(MeanColour(), find_pictures(images_dir, asked), tmp_path / "cache")
    assert embedded.article_ids == [IDS[9], IDS[2], IDS[17]]
    np.testing.assert_allclose(embedded.vectors[:, 0], [90, 20, 170], atol=3)


@pytest.mark.parametrize("pictures_until_kill", [0, 4, 11, 22])
def test_killed_halfway_it_goes_on_where_it_was(pictures_until_kill: int, images_dir: Path, tmp_path: Path) -> None:
    pictures = find_pictures(images_dir, IDS)
    with pytest.raises(KeyboardInterrupt):
        embed_pictures(MeanColour(pictures_until_kill), pictures, tmp_path / "cache")
    second = MeanColour()
    embedded = embed_pictures(second, pictures, tmp_path / "cache")
    kept = pictures_until_kill // embedding.PART_PICTURES * embedding.PART_PICTURES
    assert embedded.from_cache == kept
    assert second.embedded == len(IDS) - kept
    at_one_go = embed_pictures(MeanColour(), pictures, tmp_path / "another cache")
    assert embedded.article_ids == at_one_go.article_ids
    np.testing.assert_array_equal(embedded.vectors, at_one_go.vectors)


def test_nothing_is_embedded_twice_and_half_written_files_are_not_read(images_dir: Path, tmp_path: Path) -> None:
    pictures = find_pictures(images_dir, IDS)
    embed_pictures(MeanColour(), pictures, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    assert not list(folder.glob("*.partial"))
    (folder / "part-0123456789abcdef.77.partial").write_bytes(b"half")
    again = MeanColour()
    assert embed_pictures(again, pictures, tmp_path / "cache").from_cache == len(IDS)
    assert again.embedded == 0


def test_a_changed_picture_is_embedded_anew(images_dir: Path, tmp_path: Path) -> None:
    embed_pictures(MeanColour(), find_pictures(images_dir, IDS), tmp_path / "cache")
    path = write_picture(images_dir, IDS[4], GREEN)
    later_ns = path.stat().st_mtime_ns + 1_000_000
    os.utime(path, ns=(later_ns, later_ns))
    again = MeanColour()
    embedded = embed_pictures(again, find_pictures(images_dir, IDS), tmp_path / "cache")
    assert again.embedded == 1
    np.testing.assert_allclose(embedded.vectors[4], GREEN, atol=3)


def test_other_weights_have_a_cache_of_their_own(images_dir: Path, tmp_path: Path) -> None:
    pictures = find_pictures(images_dir, IDS)
    embed_pictures(MeanColour(), pictures, tmp_path / "cache")
    other = MeanColour()
    other.weights_digest = "1" * 64
    assert embed_pictures(other, pictures, tmp_path / "cache").from_cache == 0


def test_broken_pictures_are_named_and_the_others_embedded(images_dir: Path, tmp_path: Path) -> None:
    picture_path(images_dir, IDS[0]).write_bytes(b"")
    picture_path(images_dir, IDS[5]).write_bytes(b"<html>not found</html>")
    whole = picture_path(images_dir, IDS[6]).read_bytes()
    picture_path(images_dir, IDS[6]).write_bytes(whole[: len(whole) // 2])
    embedded = embed_pictures(MeanColour(), find_pictures(images_dir, IDS), tmp_path / "cache")
    assert sorted(embedded.broken) == [IDS[0], IDS[5], IDS[6]]
    assert str(picture_path(images_dir, IDS[5])) in embedded.broken[IDS[5]]
    assert len(embedded.article_ids) == len(IDS) - 3


def test_a_picture_keeps_its_shape_on_a_ground_of_its_edge(tmp_path: Path) -> None:
    path = tmp_path / "portrait.png"
    picture = Image.new("RGB", (40, 80), BLUE)
    picture.paste(RED, (10, 20, 30, 60))
    picture.save(path)
    square = read_square(path, 40)  # [40, 40, 3]; the picture is 20 wide in its middle, the red patch 10 x 20
    assert square.shape == (40, 40, 3)
    assert (square[:, [0, 9, 30, 39]] == BLUE).all()
    assert (square[12:28, 17:23] == RED).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_pictures_of_every_mode_become_rgb(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("picture.tif" if mode == "CMYK" else "picture.png")
    Image.new("RGB", (9, 9), (255, 255, 255)).convert(mode).save(path)
    assert (read_square(path, 6) > 250).all()


def test_no_picture_at_all_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(BrokenPictureError, match="missing"):
        read_square(tmp_path / "missing.jpg", 8)
