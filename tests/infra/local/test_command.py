"""Our own commands as daemons."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.base.errors import UserError
from infra.base.settings import Settings
from infra.local.command import VitrineCommand

OUTSIDE = {
    "redis_url": "redis://127.0.0.1:9/0",
    "kafka_bootstrap_servers": "127.0.0.1:9",
    "tf_serving_address": "127.0.0.1:9",
}


def test_a_command_gets_the_settings_given_and_is_ready_when_it_says_so(tmp_path: Path) -> None:
    """``stack start`` serves as the command: with every service outside it only shows their addresses and waits."""
    settings = Settings(var_dir=tmp_path, **OUTSIDE)
    command = VitrineCommand("inner", ["stack", "start"], settings, lambda c: c.has_logged("Ctrl-C stops them"))
    with command:
        command.start_again()
        assert command.has_logged("redis://127.0.0.1:9/0")
        assert not command.listens_on(9)
    assert not command.is_running


def test_what_a_command_complains_about_is_shown(tmp_path: Path) -> None:
    command = VitrineCommand("odd", ["no-such-command"], Settings(var_dir=tmp_path), lambda c: False)
    with pytest.raises(UserError, match=r"odd ended with exit code 2 .*odd\.log") as error:
        command.start_again()
    assert "No such command" in str(error.value)
