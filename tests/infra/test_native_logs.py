"""What libraries write past Python's own streams goes to a file."""

import os

import pytest

from infra.base.native_logs import native_logs_to


def test_writes_to_the_file_descriptor_go_to_the_file_and_then_back(tmp_path, capfd):
    path = tmp_path / "logs" / "native.log"
    with native_logs_to(path):
        os.write(2, b"a library says hello\n")
    os.write(2, b"and we are back\n")
    assert path.read_text() == "a library says hello\n"
    assert capfd.readouterr().err == "and we are back\n"


def test_an_error_comes_through_and_the_stream_is_back(tmp_path, capfd):
    with pytest.raises(ZeroDivisionError), native_logs_to(tmp_path / "native.log"):
        _ = 1 / 0
    os.write(2, b"back\n")
    assert capfd.readouterr().err == "back\n"
