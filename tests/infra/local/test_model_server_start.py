"""The model server as the stack starts it."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from infra.base.settings import Settings
from infra.local.model_server import answers_model_status
from infra.local.ports import HOST
from infra.local.process import wait_until
from infra.local.stack import LocalStack
from infra.local.stack_file import read_stack_file

OTHERS_OUTSIDE = {"VITRINE_REDIS_URL": "redis://127.0.0.1:9/0", "VITRINE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}


def test_it_starts_when_there_is_something_to_serve_on_the_port_told_before(tmp_path: Path) -> None:
    with LocalStack(Settings(var_dir=tmp_path), OTHERS_OUTSIDE, say=lambda line: None) as stack:
        server = stack.model_server
        assert server is not None
        assert not server.is_running
        address = stack.settings.tf_serving_address
        server.config_path.parent.mkdir(exist_ok=True)
        server.config_path.write_text("model_config_list {}\n")
        wait_until(lambda: answers_model_status(address, timeout_seconds=0.2), 120, "the model server to answer")
        wait_until(lambda: recorded_pid(tmp_path) == server.pid, 10, "stack.json to tell")
        server.start_again()  # returns at once: it runs
    assert not server.is_running
    assert not answers_model_status(address)


def recorded_pid(var_dir: Path) -> int | None:
    entry = read_stack_file(var_dir / "run")
    assert entry is not None
    return entry.services[0].pid


def test_a_complaint_is_an_answer() -> None:
    server = grpc.server(ThreadPoolExecutor(1))  # knows no service: UNIMPLEMENTED
    port = server.add_insecure_port(f"{HOST}:0")
    server.start()
    assert answers_model_status(f"{HOST}:{port}")
    server.stop(None).wait()


def test_an_open_port_that_says_nothing_is_no_answer() -> None:
    with socket.create_server((HOST, 0)) as mute:
        assert not answers_model_status(f"{HOST}:{mute.getsockname()[1]}", timeout_seconds=0.1)
