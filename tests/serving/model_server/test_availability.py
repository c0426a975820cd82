"""The order of loading and unloading never takes away the last version that serves."""

from hypothesis import given
from hypothesis import strategies as st

from serving.model_server.availability import Action, next_action

NUMBERS = st.sets(st.integers(1, 6))


def action_for(versions, wanted, ready, failed=frozenset()):
    return next_action(wanted, versions - ready - failed, ready)


def test_the_new_version_is_loaded_before_the_old_one_goes():
    assert action_for({1, 2}, wanted={2}, ready={1}) == Action("load", 2)
    assert action_for({1, 2}, wanted={2}, ready={1, 2}) == Action("unload", 1)
    assert action_for({1, 2}, wanted={2}, ready={2}) is None


def test_a_version_that_failed_keeps_the_old_one():
    assert action_for({1, 2}, wanted={2}, ready={1}, failed={2}) is None


def test_a_model_that_is_not_wanted_any_more_goes_altogether():
    assert action_for({1, 2}, wanted=set(), ready={1, 2}) == Action("unload", 1)


@given(ready=NUMBERS, wanted=NUMBERS, broken=NUMBERS)
def test_a_model_that_serves_goes_on_serving_and_ends_up_as_wanted(ready, wanted, broken):
    """``broken`` versions fail to load, unless they serve already."""
    served, failed = set(ready), set[int]()
    steps = 0
    while (action := action_for(ready | wanted, wanted, served, failed)) is not None:
        if action.kind == "unload":
            assert action.version not in wanted
            served.remove(action.version)
        elif action.version in broken:
            failed.add(action.version)
        else:
            served.add(action.version)
        assert served or not ready or not wanted
        steps += 1
        assert steps <= 12
    loadable = wanted - failed
    if loadable or not wanted:
        assert served == loadable
    else:
        assert len(served) == min(len(ready), 1)
