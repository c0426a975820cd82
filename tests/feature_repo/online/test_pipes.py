"""One contract for a pipe to one Redis and to a cluster: commands go out together, replies come back in their order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from redis.exceptions import ConnectionError, ResponseError

from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.cluster_slots import client_of_key, master_clients
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import keyed, same_command, script_call
from tests.conftest import OnlineStore
from tests.local_cluster import NODES, LocalCluster

KEYS = [b"key-%d" % number for number in range(200)]


@pytest.fixture
def pipe(store: OnlineStore) -> Iterator[Pipe]:
    with closing(open_pipe(store.url)) as pipe:
        yield pipe


def test_replies_come_in_the_order_of_the_commands(pipe: Pipe, store: OnlineStore) -> None:
    assert pipe.ask([keyed(b"SET", key, b"of " + key) for key in KEYS]) == [b"OK"] * len(KEYS)
    assert pipe.ask([keyed(b"GET", key) for key in KEYS]) == [b"of " + key for key in KEYS]
    assert pipe.ask([]) == []
    assert [store.client.get(key) for key in KEYS] == [b"of " + key for key in KEYS]


def test_what_was_sent_first_may_be_read_last(pipe: Pipe) -> None:
    pipe.ask([keyed(b"SET", key, key) for key in KEYS])
    batches = [pipe.send([keyed(b"GET", key) for key in KEYS[start : start + 10]]) for start in range(0, 200, 10)]
    for number in reversed(range(20)):
        assert pipe.read(batches[number]) == KEYS[10 * number : 10 * number + 10]


def test_commands_that_differ_in_nothing_but_the_key_are_packed_at_once(pipe: Pipe) -> None:
    pipe.ask([keyed(b"HSET", key, b"", b"of nothing", b"key", key) for key in (b"", *KEYS)])
    replies = pipe.ask(same_command(b"HMGET", (b"", *KEYS), b"", b"key", b"none"))
    assert replies == [[b"of nothing", key, None] for key in (b"", *KEYS)]


def test_an_error_is_a_reply_among_others_until_it_is_asked_for(pipe: Pipe) -> None:
    pipe.call(b"SET", KEYS[0], b"no number")
    wrong = [keyed(b"INCR", KEYS[0]), keyed(b"INCR", KEYS[1])]
    error, number = pipe.read(pipe.send(wrong))
    assert isinstance(error, ResponseError)
    assert number == 1
    with pytest.raises(ResponseError, match="not an integer"):
        pipe.ask(wrong)
    assert pipe.call(b"GET", KEYS[1]) == b"2"


def test_a_script_is_known_wherever_its_key_is(pipe: Pipe) -> None:
    digest = pipe.load_script("return KEYS[1]")
    assert pipe.ask([script_call(digest, key) for key in KEYS]) == KEYS


def test_all_masters_together_have_all_keys_and_one_of_them_each(pipe: Pipe, store: OnlineStore) -> None:
    pipe.ask([keyed(b"SET", key, key) for key in KEYS])
    masters = master_clients(store.url)
    assert len(masters) == (NODES if pipe.is_cluster else 1)
    shares = [set(master.scan_iter()) for master in masters]
    assert all(shares)
    assert sorted(key for share in shares for key in share) == sorted(KEYS)
    assert client_of_key(store.url, KEYS[7]).get(KEYS[7]) == KEYS[7]


def test_a_master_that_is_gone_is_a_lost_connection(redis_cluster: LocalCluster) -> None:
    with closing(open_pipe(redis_cluster.url)) as pipe:
        redis_cluster.nodes[2].kill()
        with pytest.raises(ConnectionError):
            pipe.ask([keyed(b"SET", key, key) for key in KEYS])
        with pytest.raises(ConnectionError):
            open_pipe(redis_cluster.url)
        redis_cluster.start_again()
        with pytest.raises(ConnectionError, match="lost before"):
            pipe.ask([keyed(b"SET", key, key) for key in KEYS])
    with closing(open_pipe(redis_cluster.url)) as pipe:
        assert pipe.ask([keyed(b"SET", key, key) for key in KEYS]) == [b"OK"] * len(KEYS)
