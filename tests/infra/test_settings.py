"""Environment first, then the running stack, then the customary ports; what cannot be used is named, all at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from infra.base.errors import UserError
from infra.base.process_identity import process_identity
from infra.base.settings import (
    CHECKOUT,
    DEFAULT_GATEWAY_ADDRESS,
    DEFAULT_KAFKA_BOOTSTRAP_SERVERS,
    DEFAULT_REDIS_URL,
    DEFAULT_TF_SERVING_ADDRESS,
    Settings,
)
from infra.local.stack_file import stack_file, write_stack_file


def test_without_anything_the_customary_ports_are_used(tmp_path: Path) -> None:
    settings = Settings.from_environment({"VITRINE_VAR": str(tmp_path)})
    assert settings.redis_url == DEFAULT_REDIS_URL
    assert settings.clock == ""
    assert settings.tables_dir == tmp_path / "tables"


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_variable_counts_as_not_set(nothing: str, tmp_path: Path) -> None:
    variables = list(Settings(tmp_path).to_environment())
    assert Settings.from_environment(dict.fromkeys(variables, nothing)).var_dir == CHECKOUT / "var"
    settings = Settings.from_environment({**dict.fromkeys(variables, nothing), "VITRINE_VAR": str(tmp_path)})
    assert settings == Settings(
        tmp_path,
        DEFAULT_REDIS_URL,
        DEFAULT_KAFKA_BOOTSTRAP_SERVERS,
        DEFAULT_TF_SERVING_ADDRESS,
        DEFAULT_GATEWAY_ADDRESS,
        "",
    )


def test_a_child_process_sees_the_very_same_settings(tmp_path: Path) -> None:
    settings = Settings(tmp_path, redis_url="redis://127.0.0.1:1/0", clock="2020-09-20")
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("VITRINE_GATEWAY_ADDRESS", "127.0.0.1", "is '127.0.0.1'; expected host:port, such as 127.0.0.1:50051"),
        ("VITRINE_GATEWAY_ADDRESS", "127.0.0.1:", "expected host:port"),
        ("VITRINE_GATEWAY_ADDRESS", "127.0.0.1:0", "expected host:port"),
        ("VITRINE_GATEWAY_ADDRESS", "127.0.0.1:99999", "expected host:port"),
        ("VITRINE_TF_SERVING_ADDRESS", "http://models:8500", "expected host:port"),
        ("VITRINE_TF_SERVING_ADDRESS", "models:grpc", "expected host:port, such as 127.0.0.1:8500"),
        ("VITRINE_KAFKA_BOOTSTRAP_SERVERS", "one:9092,,two:9092", "expected host:port, or several with commas"),
        ("VITRINE_KAFKA_BOOTSTRAP_SERVERS", "kafka", "expected host:port, or several with commas"),
        ("VITRINE_REDIS_URL", "127.0.0.1:6379", "expected redis://"),
        ("VITRINE_CLOCK", "yesterday", "holds 'yesterday'; expected a date such as 2020-09-20, 'events' or nothing"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        Settings.from_environment({"VITRINE_VAR": str(tmp_path), variable: text})
    assert str(error.value).startswith(variable)
    assert message in str(error.value)


@pytest.mark.parametrize("field", ["gateway_address", "tf_serving_address", "kafka_bootstrap_servers"])
def test_settings_that_are_not_of_variables_are_checked_too(field: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"{field} is 'shop'; expected host:port,.* such as 127\.0\.0\.1:\d+"):
        Settings(tmp_path, **{field: "shop"})


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError) as error:
        Settings.from_environment(
            {
                "VITRINE_VAR": str(tmp_path / "file" / "var"),
                "VITRINE_REDIS_URL": "redis://:s3cret@shop:port",
                "VITRINE_GATEWAY_ADDRESS": "shop",
            }
        )
    message = str(error.value)
    assert f"{tmp_path / 'file'} is a file; expected a folder" in message
    assert "VITRINE_REDIS_URL" in message
    assert "VITRINE_GATEWAY_ADDRESS" in message
    assert "s3cret" not in message


def test_addresses_may_be_ipv6_and_kafkas_several(tmp_path: Path) -> None:
    environ = {"VITRINE_VAR": str(tmp_path), "VITRINE_GATEWAY_ADDRESS": "[::1]:50051"}
    settings = Settings.from_environment({**environ, "VITRINE_KAFKA_BOOTSTRAP_SERVERS": "one:9092, [::1]:9093"})
    assert settings.gateway_address == "[::1]:50051"
    assert settings.kafka_bootstrap_servers == "one:9092,[::1]:9093"


def write_stack(folder: Path, identity: str | None) -> None:
    (folder / "run").mkdir()
    owner = {"pid": os.getpid(), "identity": identity}
    (folder / "run" / "stack.json").write_text(json.dumps({"redis_url": "redis://127.0.0.1:7/0", "owner": owner}))


def test_a_running_stack_is_found_and_the_environment_still_wins(tmp_path: Path) -> None:
    write_stack(tmp_path, process_identity(os.getpid()))
    assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == "redis://127.0.0.1:7/0"
    outside = {"VITRINE_VAR": str(tmp_path), "VITRINE_REDIS_URL": "redis://127.0.0.1:8/0"}
    assert Settings.from_environment(outside).redis_url == "redis://127.0.0.1:8/0"


def test_the_file_of_a_stack_that_was_killed_misleads_nobody(tmp_path: Path) -> None:
    write_stack(tmp_path, "another process that had this number")
    assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == DEFAULT_REDIS_URL


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"owner": 1}', '{"redis_url": "redis://x"}'])
def test_a_broken_file_of_a_stack_misleads_nobody(content: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text(content)
    assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == DEFAULT_REDIS_URL


def test_a_stacks_addresses_are_its_owners_alone_and_settings_do_not_show_them(tmp_path: Path) -> None:
    url = "redis://ann:s3cret@127.0.0.1:6379/0"
    (tmp_path / "run").mkdir()
    stack_file(tmp_path / "run").write_text("{}")
    stack_file(tmp_path / "run").chmod(0o644)
    write_stack_file(tmp_path / "run", {"redis_url": url}, [])
    assert stack_file(tmp_path / "run").stat().st_mode & 0o777 == 0o600
    settings = Settings.from_environment({"VITRINE_VAR": str(tmp_path)})
    assert settings.redis_url == url
    assert "s3cret" not in repr(settings)
