"""The deadline is shared out among the stages, and what one saves is the next one's."""

from __future__ import annotations

import asyncio

import pytest

from serving.gateway.stages.deadline import Budgets, Deadline, StageFailed

BUDGETS = Budgets()


def test_without_a_deadline_the_default_holds_and_a_long_one_is_cut():
    assert Deadline.of_call(None, BUDGETS).remaining_ms == pytest.approx(200, abs=20)
    assert Deadline.of_call(60_000, BUDGETS).remaining_ms == pytest.approx(2_000, abs=20)
    assert Deadline(5_000, BUDGETS).remaining_ms == pytest.approx(5_000, abs=20), "a warm-up is no call"


@pytest.mark.parametrize("deadline_ms", [1, 10, 50, 200, 1_000])
def test_all_stages_together_leave_time_for_the_answer(deadline_ms):
    left = Deadline(deadline_ms, BUDGETS).remaining_ms
    for stage, _ in BUDGETS.shares:
        deadline = Deadline(left, BUDGETS)
        left -= deadline.budget_ms(stage)
    assert left >= min(BUDGETS.compute_ms, deadline_ms / 2) * 0.3


def test_a_later_stage_gets_what_earlier_ones_saved():
    deadline = Deadline(200, BUDGETS)
    assert deadline.budget_ms("ranker") > deadline.budget_ms("query_tower") > deadline.budget_ms("customer")
    assert deadline.budget_ms("ranker") == pytest.approx(160, abs=20)


async def _never() -> None:
    await asyncio.Event().wait()


async def _broken() -> None:
    raise KeyError("units")


def test_a_slow_stage_is_given_up():
    with pytest.raises(StageFailed, match="no answer within"):
        asyncio.run(Deadline(30, BUDGETS).spend("customer", _never()))


def test_a_stage_is_not_begun_when_no_time_is_left():
    with pytest.raises(StageFailed, match="no time left"):
        asyncio.run(Deadline(0.1, BUDGETS).spend("ranker", _never()))


def test_whatever_a_stage_raises_is_told_by_its_kind_and_the_rest_is_for_the_log():
    with pytest.raises(StageFailed, match=r"^KeyError$") as failure:
        asyncio.run(Deadline(200, BUDGETS).spend("ranker", _broken()))
    assert failure.value.details == "'units'"
