"""The gateway follows the label: no failed call, no answer of two releases, no release that does not work."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.gateway.service import SERVICE
from serving.proto import recommender_pb2 as pb
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import fast_config, wait_until
from tests.serving.gateway.test_recommend import degraded


def top_score(answer: pb.RecommendResponse) -> float:
    return answer.articles[0].score


def state_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("article-state")}


def health(address: str, service: str) -> int:
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status


def test_it_is_not_serving_before_a_release_is_loaded(settings, models, redis_client):
    models.stop()
    with world.gateway_thread(settings, fast_config(), ready=False) as address, world.stub_of(address) as stub:
        for service in ("", SERVICE):
            assert health(address, service) == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.RpcError) as refusal:
            stub.Recommend(pb.RecommendRequest(customer_id="c"), timeout=5)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        models.stable = None
        models.start()
        assert health(address, "") == health_pb2.HealthCheckResponse.NOT_SERVING
        models.stable = 1
        wait_until(lambda: health(address, SERVICE) == health_pb2.HealthCheckResponse.SERVING)
        assert health(address, "") == health_pb2.HealthCheckResponse.SERVING
        assert stub.Recommend(pb.RecommendRequest(customer_id="c"), timeout=5).release == 1
        models.stop()  # a later outage does not stop the answers
        assert stub.Recommend(pb.RecommendRequest(customer_id="c"), timeout=5).release == 1
        assert health(address, "") == health_pb2.HealthCheckResponse.SERVING


def test_promotion_and_rollback_under_requests_fail_and_mix_nothing(rig):
    answers: list[pb.RecommendResponse] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answers.append(rig.recommend())  # raises on any failure

    with ThreadPoolExecutor(3) as pool:

        def newest_is(release: int) -> bool:
            return bool(answers) and answers[-1].release == release

        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for promoted in (2, 1, 2):
                rig.models.stable = promoted
                wait_until(partial(newest_is, promoted))
        finally:
            stop.set()
        for future in asking:
            future.result()
    assert {answer.release for answer in answers} == {1, 2}
    for answer in answers:
        assert degraded(answer) == set()
        assert top_score(answer) == pytest.approx(answer.release)  # the world's ranker scores by its version


def test_an_answer_begun_on_a_release_ends_on_it_and_then_the_release_is_dropped(rig):
    held = rig.models.hold("query_tower")
    with ThreadPoolExecutor(1) as pool:
        rig.models.asked.clear()
        begun = pool.submit(rig.recommend, timeout_s=30.0)
        # It holds release 1 while its query tower is asked; 2 s are the most that any stage may take of 30.
        wait_until(lambda: ("query_tower", 1) in rig.models.asked)
        del rig.models.held["query_tower"]
        rig.models.stable = 2
        wait_until(lambda: rig.recommend("nobody").release == 2, seconds=30)
        held.set()
        answer = begun.result()
    assert answer.release == 1
    assert top_score(answer) == pytest.approx(1)
    wait_until(lambda: state_threads() == {"article-state-2"})


def test_a_release_that_is_not_on_disk_leaves_the_one_in_use(rig):
    rig.models.versions.add(9)
    rig.models.stable = 9
    for _ in range(20):
        assert rig.recommend().release == 1
    rig.models.stable = 2
    wait_until(lambda: rig.recommend().release == 2)


def test_a_release_that_fails_again_and_again_holds_no_connections(rig):
    def connections() -> int:
        return len(rig.redis.client_list())

    rig.models.versions.discard(2)
    usual = connections()
    rig.models.stable = 2
    tries = 6
    rig.models.asked.clear()
    wait_until(lambda: sum(version == 2 for _, version in rig.models.asked) >= tries)
    assert connections() < usual + tries


def test_a_release_withdrawn_while_it_is_opened_never_answers(rig, caplog):
    held = rig.models.hold("query_tower")
    rig.models.asked.clear()
    rig.models.stable = 2
    wait_until(lambda: ("query_tower", 2) in rig.models.asked)  # it is being warmed up
    rig.models.stable = 1
    del rig.models.held["query_tower"]
    with caplog.at_level(logging.INFO):
        held.set()
        wait_until(lambda: "release 2 is not stable any more" in caplog.text)
    assert rig.recommend().release == 1
    assert state_threads() == {"article-state-1"}


def test_the_label_is_followed_on_whatever_goes_wrong_once(rig, monkeypatch):
    told = threading.Event()

    async def broken(*_: object, **__: object) -> int:
        told.set()
        raise ValueError("a reply that nobody has foreseen")

    with monkeypatch.context() as patched:
        patched.setattr("serving.tf_serving.prediction.PredictionClient.served_version", broken)
        assert told.wait(5)
    rig.models.stable = 2
    wait_until(lambda: rig.recommend().release == 2)


def test_a_release_whose_ranker_does_not_answer_is_not_taken(rig):
    rig.models.versions.discard(2)
    rig.models.stable = 2
    wait_until(lambda: ("query_tower", 2) in rig.models.asked)
    assert rig.recommend().release == 1
    rig.models.versions.add(2)  # tried again by itself
    wait_until(lambda: rig.recommend().release == 2)
