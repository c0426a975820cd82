"""The order of loading and unloading never takes away the last version that serves."""

from hypothesis import given
from hypothesis import strategies as st

from serving.model_server.availability import Action, VersionSnapshot, next_action

NUMBERS = st.sets(st.integers(1, 6))


def snapshot(versions, wanted, ready, failed=frozenset()):
    return [VersionSnapshot(v, v in wanted, v not in ready and v not in failed, v in ready) for v in versions]


def test_the_new_version_is_loaded_before_the_old_one_goes():
    assert next_action(snapshot({1, 2}, wanted={2}, ready={1})) == Action("load", 2)
    assert next_action(snapshot({1, 2}, wanted={2}, ready={1, 2})) == Action("unload", 1)
    assert next_action(snapshot({1, 2}, wanted={2}, ready={2})) is None


def test_a_version_that_failed_keeps_the_old_one():
    assert next_action(snapshot({1, 2}, wanted={2}, ready={1}, failed={2})) is None


def test_a_model_that_is_not_wanted_any_more_goes_altogether():
    assert next_action(snapshot({1, 2}, wanted=set(), ready={1, 2})) == Action("unload", 1)


@given(ready=NUMBERS, wanted=NUMBERS, broken=NUMBERS)
def test_a_model_that_serves_goes_on_serving_and_ends_up_as_wanted(ready, wanted, broken):
    """``broken`` versions fail to load, unless they serve already."""
    served, failed = set(ready), set[int]()
    steps = 0
    while (action := next_action(snapshot(ready | wanted, wanted, served, failed))) is not None:
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
