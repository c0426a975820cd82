"""The pages and rooms tell the truth: a file that is named is there, and every room says what it is for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("feature_repo", "infra", "serving", "streaming", "towers")
PAGES = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "streaming/README.md")
LEAST_WORDS = 8
OTHER_WORDS = {"vitrine", "interactions"}  # the command; a topic
_LINK = re.compile(r"\]\(([^)#:\s]+)\)")
# Between backticks, as a path from the root: `serving/ranking/filters.py`, `streaming/windows/`.
_PATH = re.compile(rf"`((?:{'|'.join((*ROOMS, 'tests', 'docs'))})/[\w./-]*)`")


def packages() -> Iterator[Path]:
    for room in ROOMS:
        yield from (ROOT / room).rglob("__init__.py")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    linked = [(ROOT / page).parent / target for target in _LINK.findall(text)]
    named = [ROOT / path for path in _PATH.findall(text)]
    assert linked or named
    assert [path for path in linked + named if not path.exists()] == []


@pytest.mark.parametrize("package", list(packages()), ids=lambda path: path.parent.relative_to(ROOT).as_posix())
def test_every_room_says_what_it_is_for_and_names_only_what_it_has(package: Path) -> None:
    paragraph = ast.get_docstring(ast.parse(package.read_text())) or ""
    assert len(paragraph.split()) >= LEAST_WORDS
    # Plain lower-case words in double backticks are files, folders or functions of the room, or rooms beside it.
    words = {word.removesuffix(".py") for word in re.findall(r"``([a-z][a-z0-9_]*(?:\.py)?)``", paragraph)}
    sources = list(package.parent.rglob("*.py"))
    functions = {name for source in sources for name in re.findall(r"def (\w+)", source.read_text())}
    files = {path.stem for path in (*ROOT.iterdir(), *package.parent.parent.iterdir(), *package.parent.rglob("*"))}
    assert words - files - functions - OTHER_WORDS == set()
