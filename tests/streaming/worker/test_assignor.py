"""Every topic is divided evenly, whoever comes and goes, and what moves is given up before it is given away."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from streaming.worker.assignor import TopicwiseStickyAssignor

TOPICS = ("availability", "interactions", "transactions")
PARTITIONS = 6
CLUSTER = SimpleNamespace(topics=lambda: set(TOPICS), partitions_for_topic=lambda topic: set(range(PARTITIONS)))
Owned = dict[str, dict[str, list[int]]]  # member -> topic -> partitions


def rebalance(owned: Owned) -> Owned:
    """One round: what each member owns after it."""
    members = [
        SimpleNamespace(
            member_id=member,
            metadata=SimpleNamespace(
                topics=list(TOPICS),
                owned_partitions=[SimpleNamespace(topic=t, partitions=found) for t, found in topics.items()],
                generation_id=-1,
            ),
        )
        for member, topics in owned.items()
    ]
    assigned = TopicwiseStickyAssignor().assign(CLUSTER, members)
    return {member: dict(assignment.assigned_partitions) for member, assignment in assigned.items()}


def sizes(owned: Owned, topic: str) -> list[int]:
    return sorted(len(topics.get(topic, ())) for topics in owned.values())


@pytest.mark.parametrize(("workers", "shares"), [(2, [3, 3]), (3, [2, 2, 2]), (4, [1, 1, 2, 2])])
def test_each_topic_is_shared_evenly_when_workers_join_one_that_had_all(workers: int, shares: list[int]) -> None:
    everything = {topic: list(range(PARTITIONS)) for topic in TOPICS}
    before: Owned = {"w0": everything} | {f"w{number}": {} for number in range(1, workers)}
    given_up = rebalance(before)
    for topic in TOPICS:
        assert sizes(given_up, topic)[:-1] == [0] * (workers - 1)  # nobody gets what another may still be reading
    after = rebalance(given_up)
    for topic in TOPICS:
        assert sizes(after, topic) == shares
        assert sorted(p for topics in after.values() for p in topics.get(topic, ())) == list(range(PARTITIONS))
    assert rebalance(after) == after


def test_those_who_stay_keep_what_they_have_when_one_leaves() -> None:
    empty: Owned = {"w0": {}, "w1": {}, "w2": {}}
    owned = rebalance(empty)
    del owned["w1"]
    after = rebalance(owned)
    for topic in TOPICS:
        assert sizes(after, topic) == [3, 3]
        for member, topics in owned.items():
            assert set(topics[topic]) <= set(after[member][topic])
