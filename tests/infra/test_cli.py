"""The command line: every job has a command, helpful without importing the job's libraries."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from infra.cli import COMMANDS, cli


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    answer = CliRunner().invoke(cli, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert "Usage:" in answer.output


def test_help_names_every_command_and_imports_nothing_heavy():
    script = (
        "import sys; from click.testing import CliRunner; from infra.cli import cli;"
        "print(CliRunner().invoke(cli, ['--help']).output);"
        "heavy = {'tensorflow', 'feast', 'pandas', 'kafka', 'faiss'} & set(sys.modules); assert not heavy, heavy"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(name in answer.stdout for name in COMMANDS)


def test_an_unknown_command_is_an_error():
    with pytest.raises(click.UsageError, match="No such command"):
        cli.main(["recomend"], standalone_mode=False)


def test_what_a_user_can_mend_is_one_line_without_a_traceback(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "infra.cli", "ingest", str(tmp_path)],
        capture_output=True,
        text=True,
        env={"VITRINE_VAR": str(tmp_path / "var"), "PATH": ""},
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith("vitrine: ")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--release", "1", "--as-of", "2020-09-21", "--days", "0"],
        ["train", "--release", "1", "--as-of", "2020-09-21", "--seed", "-1"],
        ["evaluate", "--release", "1", "--customers", "0"],
        ["ablate", "--as-of", "2020-09-21", "--customers", "0"],
    ],
)
def test_numbers_that_cannot_be_are_refused_with_their_range(arguments):
    answer = CliRunner().invoke(cli, arguments)
    assert answer.exit_code == 2
    assert f"'{arguments[-2]}': {arguments[-1]} is not in the range" in answer.output
