"""Groups, tables of groups, and the recipe for a new one."""

from __future__ import annotations

import importlib
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import serving.ranking.ranking_features as now
from serving.ranking.feature_group import FeatureGroup, FeatureTable, column_of
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import inputs_of
from tests.serving.retrieval_worlds import TODAY, shop

SIZES = FeatureGroup[int, int](
    lambda size: size or None, {"half": lambda size: size / 2, "twice": lambda size: size * 2}
)


def test_a_column_is_computed_by_the_function_beside_its_name() -> None:
    table = FeatureTable((SIZES, FeatureGroup[int, int](lambda size: size, {"size": float})))
    assert dict(zip(table.names, table.compute(6), strict=True)) == {"half": 3, "twice": 12, "size": 6}


def test_a_group_that_knows_nothing_leaves_all_its_columns_missing() -> None:
    half, twice = SIZES.compute(0)
    assert math.isnan(half)
    assert math.isnan(twice)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'half'"):
        FeatureTable((SIZES, SIZES))


def test_who_looks_for_an_unknown_column_is_told_the_known_ones() -> None:
    assert column_of(("half", "twice"), "twice") == 1
    with pytest.raises(ValueError, match="no feature 'thrice'; expected one of half, twice"):
        column_of(("half", "twice"), "thrice")


def test_a_new_group_is_one_new_file_and_its_line_in_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The recipe of serving/ranking/features/__init__.py, followed in a copy of the room.
    room = Path(shutil.copytree(Path(now.__file__).parent, tmp_path / "room_for_more"))
    for file in room.rglob("*.py"):
        file.write_text(file.read_text().replace("serving.ranking.", "room_for_more."))
    (room / "features" / "length_of_name.py").write_text(
        "from room_for_more.feature_group import FeatureGroup\n"
        "from room_for_more.ranking_inputs import RankingInputs\n\n"
        "LENGTH_OF_NAME = FeatureGroup[RankingInputs, RankingInputs](\n"
        "    lambda inputs: inputs,\n"
        '    {"length_of_name": lambda inputs: [len(inputs.articles.name(p)) for p in inputs.positions]},\n'
        ")\n"
    )
    table = room / "ranking_features.py"
    line = "            LATENT_FACTORS,\n"
    assert table.read_text().count(line) == 1
    importing = "from room_for_more.features.length_of_name import LENGTH_OF_NAME\n"
    text = table.read_text().replace(line, f"{line}            LENGTH_OF_NAME,\n")
    table.write_text(text.replace("from room_for_more.features.lifts", f"{importing}from room_for_more.features.lifts"))

    monkeypatch.syspath_prepend(tmp_path)
    room_for_more = importlib.import_module("room_for_more.ranking_features")
    articles = shop([2, 1])
    inputs = inputs_of(Customer.from_values("c", {}, articles, TODAY), articles)
    arguments = (inputs.customer, inputs.candidates, articles, inputs.index, None)
    matrix = room_for_more.ranking_features(*arguments)
    assert room_for_more.ranking_feature_names(("trending",))[-1] == "length_of_name"
    assert matrix[:, -1].tolist() == [len("Product 1"), len("Product 2")]
    np.testing.assert_array_equal(matrix[:, :-1], now.ranking_features(*arguments))
    for name in [name for name in sys.modules if name.startswith("room_for_more")]:
        del sys.modules[name]
