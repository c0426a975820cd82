"""Environment first, then the running stack, then the customary ports."""

import json
import os

from infra.process_identity import process_identity
from infra.settings import DEFAULT_REDIS_URL, Settings


def test_without_anything_the_customary_ports_are_used(tmp_path):
    settings = Settings.from_environment({"VITRINE_VAR": str(tmp_path)})
    assert settings.redis_url == DEFAULT_REDIS_URL
    assert settings.clock == ""
    assert settings.tables_dir == tmp_path / "tables"


def test_a_child_process_sees_the_very_same_settings(tmp_path):
    settings = Settings(tmp_path, redis_url="redis://127.0.0.1:1/0", clock="2020-09-20")
    assert Settings.from_environment(settings.to_environment()) == settings


def write_stack(folder, identity):
    (folder / "run").mkdir()
    owner = {"pid": os.getpid(), "identity": identity}
    (folder / "run" / "stack.json").write_text(json.dumps({"redis_url": "redis://127.0.0.1:7/0", "owner": owner}))


def test_a_running_stack_is_found_and_the_environment_still_wins(tmp_path):
    write_stack(tmp_path, process_identity(os.getpid()))
    assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == "redis://127.0.0.1:7/0"
    outside = {"VITRINE_VAR": str(tmp_path), "VITRINE_REDIS_URL": "redis://127.0.0.1:8/0"}
    assert Settings.from_environment(outside).redis_url == "redis://127.0.0.1:8/0"


def test_the_file_of_a_stack_that_was_killed_misleads_nobody(tmp_path):
    write_stack(tmp_path, "another process that had this number")
    assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == DEFAULT_REDIS_URL
