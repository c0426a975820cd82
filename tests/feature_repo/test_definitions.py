"""What Feast finds in ``definitions.py`` is everything that the schema describes, each under its own name."""

from __future__ import annotations

from feature_repo import definitions
from feature_repo.feast_objects import define
from infra.base.settings import Settings


def test_everything_that_is_made_stands_in_definitions() -> None:
    made = define(Settings.from_environment())
    standing = {name: item for name, item in vars(definitions).items() if not name.startswith("_")}
    for views_and_more in (made.entities, made.views, made.services):
        for name, item in views_and_more.items():
            assert standing[name].name == item.name == name
    sources = {item.name for name, item in standing.items() if name.endswith(("_table", "_stream", "_push"))}
    assert sources == {source.name for source in made.sources.values()}
