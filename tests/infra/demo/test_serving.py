"""``make up`` takes up what a former run has built, and only that."""

import pytest

from infra.demo.serving import keep_serving
from infra.errors import UserError
from infra.settings import Settings


def test_other_files_than_those_it_was_built_from_are_refused(tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "built-from").write_text("/some/shop")
    with pytest.raises(UserError, match=r"built from /some/shop; .*VITRINE_VAR"):
        keep_serving(Settings(tmp_path / "var"), tmp_path)
