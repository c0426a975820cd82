"""``make up`` takes up what a former run has built, and only that; what failed the first time may be mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.base.errors import UserError
from infra.base.settings import Settings
from infra.demo.commands import demo, up
from infra.demo.serving import keep_serving
from tests.feature_repo.files.shop_files import TRANSACTION_HEADER, Shop


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "var")


def test_other_files_than_those_a_release_was_built_from_are_refused(settings: Settings, tmp_path: Path) -> None:
    (settings.releases_dir / "1").mkdir(parents=True)
    (settings.var_dir / "built-from").write_text("/some/shop")
    with pytest.raises(UserError, match=r"built from /some/shop; .*VITRINE_VAR"):
        keep_serving(settings, tmp_path)


def test_a_first_run_that_failed_binds_to_no_folder(settings: Settings, tmp_path: Path) -> None:
    for name in ("as exported", "mended by half"):
        (tmp_path / name).mkdir()
        shop = Shop(tmp_path / name)
        shop.write("transactions_train", TRANSACTION_HEADER, "2020-09-20,c1,0000000011,-0.05,2")
        with pytest.raises(UserError, match=r"column 'price' holds '-0.05'.*--reject-file FILE"):
            keep_serving(settings, shop.folder)


@pytest.mark.parametrize("command", [up, demo])
def test_bad_rows_can_be_set_aside_as_the_error_says(
    command: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reading goes on with --reject-file; it ends here because no good purchase is left."""
    monkeypatch.setenv("VITRINE_VAR", str(tmp_path / "var"))
    shop = Shop(tmp_path)
    shop.write("transactions_train", TRANSACTION_HEADER, "2020-09-20,c1,0000000011,-0.05,2")
    run = CliRunner().invoke
    refused = run(command, ["--data", str(shop.folder)])  # type: ignore[arg-type]
    assert "holds '-0.05'" in str(refused.exception)
    assert "REJECT_FILE=FILE" in str(refused.exception)
    arguments = ["--data", str(shop.folder), "--reject-file", str(tmp_path / "bad.csv"), "--time-zone", "Asia/Tokyo"]
    set_aside = run(command, arguments)  # type: ignore[arg-type]
    assert "holds no good purchase" in str(set_aside.exception)
