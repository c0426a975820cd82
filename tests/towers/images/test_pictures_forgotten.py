"""Pictures that were embedded after the features were computed are not learned from; training says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from infra.base.progress import console
from infra.base.settings import Settings
from towers.training import pipeline


@pytest.mark.parametrize(
    ("embedded", "among_features", "told"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_pictures_embedded_too_late_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded: bool, among_features: bool, told: bool
) -> None:
    settings = replace(Settings.from_environment(), var_dir=tmp_path)
    if embedded:
        settings.images_dir.mkdir()
        (settings.images_dir / "embeddings.parquet").touch()
    content = SimpleNamespace(images=np.full((3, 4), float(among_features), np.float16))
    data: Any = SimpleNamespace(catalogue=SimpleNamespace(content=content))
    monkeypatch.setattr(pipeline, "open_training_data", lambda *_: data)
    said: list[str] = []
    monkeypatch.setattr(console, "print", lambda text, **_: said.append(text))
    assert pipeline.open_options(settings, None, pipeline.TrainOptions(date(2020, 9, 21))) is data
    assert bool(said) == told
    assert all("vitrine features --as-of 2020-09-21" in text for text in said)
