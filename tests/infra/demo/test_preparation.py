"""What is read before anything is trained: a shop's pictures are welcome, but nothing waits for them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from infra.base.settings import Settings
from infra.demo.preparation import prepare
from tests.odd_shops import OddShop, article_id

SHOP = OddShop(12, [(day, day, day) for day in range(6)])


def test_some_pictures_are_used_and_when_they_are_gone_features_are_without_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, settings = SHOP.write(tmp_path / "data"), Settings(tmp_path / "var")
    pictures = [data / "images" / "010" / f"{article_id(number)}.jpg" for number in range(6)]
    pictures[0].parent.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        Image.radial_gradient("L").resize((40 + 9 * number, 60)).rotate(31 * number).save(picture)
    pictures[5].write_bytes(pictures[5].read_bytes()[:99])

    prepare(settings, data, "efficientnet-lite0")
    told = capsys.readouterr().out
    assert "12 articles, 5 with a picture" in told
    assert f"unreadable: {pictures[5]}: " in told
    embedded = pq.read_table(settings.offline_dir / "article_image.parquet")
    assert len(embedded) == 12
    assert embedded["embedding"].null_count == 0

    for picture in pictures[1:]:
        picture.unlink()
    prepare(settings, data, "efficientnet-lite0")
    assert f"pictures are left out: {data / 'images'} holds 1 pictures of articles" in capsys.readouterr().out
    left = pq.read_table(settings.offline_dir / "article_image.parquet")
    assert len(left) == 0
    assert left.schema.field("embedding").type == embedded.schema.field("embedding").type == pa.list_(pa.float32())
