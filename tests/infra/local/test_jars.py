"""Kafka's jars are used only whole and of the right hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from infra.base.errors import UserError
from infra.local.kafka.jars import Jar, cache_dir, kafka_jars, read_jar_list


def jar(name: str) -> Jar:
    return Jar("org.example", name, "1.0", hashlib.sha256(name.encode()).hexdigest())


JARS = [jar("kafka-clients"), jar("other")]


class Maven:
    """A stand-in for Maven Central: a jar's content is its name, save for those told otherwise."""

    def __init__(self, broken: dict[str, bytes | Exception] | None = None) -> None:
        self.broken = broken or {}
        self.fetched: list[str] = []

    def __call__(self, jar: Jar, scratch: Path) -> Path:
        self.fetched.append(jar.artifact)
        content = self.broken.get(jar.artifact, jar.artifact.encode())
        if isinstance(content, Exception):
            raise content
        scratch.mkdir(parents=True)
        path = scratch / "download"
        path.write_bytes(content)
        return path


def test_each_is_fetched_once(tmp_path: Path) -> None:
    maven = Maven()
    paths = kafka_jars(tmp_path, JARS, maven)
    assert [path.name for path in paths] == ["kafka-clients-1.0.jar", "other-1.0.jar"]
    assert [path.read_text() for path in paths] == ["kafka-clients", "other"]
    assert kafka_jars(tmp_path, JARS, maven) == paths
    assert sorted(maven.fetched) == ["kafka-clients", "other"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kafka-clients-1.0.jar", "other-1.0.jar"]


def test_a_wrong_hash_is_refused_and_nothing_of_it_stays(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"org\.example:other:1\.0: the downloaded file has sha256") as error:
        kafka_jars(tmp_path, JARS, Maven({"other": b"something else"}))
    assert JARS[1].sha256 in str(error.value)
    assert not (tmp_path / "other-1.0.jar").exists()


def test_a_damaged_file_of_the_cache_is_fetched_anew(tmp_path: Path) -> None:
    kafka_jars(tmp_path, JARS, Maven())
    (tmp_path / "other-1.0.jar").write_bytes(b"oth")
    maven = Maven()
    assert [path.read_text() for path in kafka_jars(tmp_path, JARS, maven)] == ["kafka-clients", "other"]
    assert maven.fetched == ["other"]


def test_without_a_network_the_error_says_what_to_do_and_what_came_stays(tmp_path: Path) -> None:
    maven = Maven({"other": ConnectionError("Name or service not known")})
    with pytest.raises(UserError, match=r"other:1\.0 could not be downloaded from Maven Central") as error:
        kafka_jars(tmp_path, JARS, maven)
    assert "VITRINE_KAFKA_BOOTSTRAP_SERVERS" in str(error.value)
    assert maven.fetched.count("other") == 3

    later = Maven()
    kafka_jars(tmp_path, JARS, later)
    assert later.fetched == ["other"]


def test_the_cache_is_the_users_and_named_by_version(tmp_path: Path) -> None:
    assert cache_dir(JARS, {"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "vitrine" / "kafka-1.0"
    assert cache_dir(JARS, {}) == Path.home() / ".cache" / "vitrine" / "kafka-1.0"


def test_the_pinned_list_is_whole() -> None:
    jars = read_jar_list()
    assert len(jars) == len({jar.file_name for jar in jars}) == 46
    assert all(len(jar.sha256) == 64 for jar in jars)
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}
