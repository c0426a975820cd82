"""models.config is followed, and nothing that is wrong with it takes down what serves."""

import threading
from functools import partial

import pytest

from infra.base.errors import UserError
from serving.model_server.config_file import ConfigFile
from tests.serving.saved_models import eventually

POLL = {"model_config_file_poll_wait_seconds": 0.05}
ALL = "model_version_policy { all {} } "


def answers(world, expected, **which):
    """Whether Predict gives ``expected``; an error is a no."""
    try:
        return world.predict(**which) == expected
    except Exception:
        return False


def test_changes_of_the_file_are_taken_up(world):
    world.put("m", 1)
    world.put("m", 2)
    world.start(world.config(world.model("m", ALL)), **POLL)
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})
    for stable in (1, 2, 1):
        world.write_config(world.config(world.model("m", f'{ALL} version_labels {{ key: "stable" value: {stable} }}')))
        eventually(partial(answers, world, stable, label="stable"))
    world.put("n", 3)
    world.write_config(world.config(world.model("m", ALL), world.model("n")))
    eventually(lambda: answers(world, 3, name="n"))


def test_a_broken_or_refused_file_leaves_the_old_config_serving(world, caplog):
    world.put("m", 1)
    world.put("n", 2)
    world.start(world.config(world.model("m")), **POLL)
    world.write_config("model_config_list { config { nam")
    eventually(lambda: "is not a ModelServerConfig" in caplog.text)
    assert world.predict() == 1
    world.write_config(world.config(world.model("m", 'version_labels { key: "stable" value: 7 }'), world.model("n")))
    eventually(lambda: "not currently available for inference" in caplog.text)
    assert world.predict() == 1
    world.write_config("")
    eventually(lambda: "It is only legal to transition from one ModelConfigList to another" in caplog.text)
    world.write_config(world.config(world.model("m"), world.model("n")))
    eventually(lambda: answers(world, 2, name="n"))


def test_the_file_rules_over_a_reload_by_call(world):
    world.put("m", 1)
    world.start(world.config(world.model("m")), **POLL)
    world.reload(world.config())
    eventually(lambda: answers(world, 1))


def test_without_a_file_nothing_is_served_until_it_appears(world):
    world.put("m", 1)
    world.start(**POLL)
    assert not answers(world, 1)
    world.write_config(world.config(world.model("m")))
    eventually(lambda: answers(world, 1))


def test_a_broken_file_at_the_start_is_an_error_that_names_it(world):
    with pytest.raises(UserError, match=r"models\.config is not a ModelServerConfig in protobuf's text form: 1:1"):
        world.start("nonsense")


def test_a_model_whose_base_path_is_missing_waits_for_it_and_harms_no_other(world):
    world.put("m", 1)
    world.start(world.config(world.model("missing"), world.model("m")))
    assert world.predict() == 1
    world.put("missing", 2)
    eventually(lambda: answers(world, 2, name="missing"))


def test_folders_that_are_not_versions_are_left_alone(world):
    world.put("m", 1)
    (world.folder / "m" / "7").mkdir()  # a copy under way: its graph has not come yet
    (world.folder / "m" / "8.partial").mkdir()
    (world.folder / "m" / "README").write_text("")
    world.start(world.config(world.model("m", ALL)))
    assert world.states() == {1: "AVAILABLE"}


def test_an_older_reading_of_the_file_does_not_undo_a_reload_by_call(world, monkeypatch):
    def labelled(stable):
        return world.config(world.model("m", f'{ALL} version_labels {{ key: "stable" value: {stable} }}'))

    def promote():
        world.write_config(labelled(2))
        world.reload(labelled(2))

    promotion, read = threading.Thread(target=promote), ConfigFile.read

    def read_just_before_a_promotion(file):
        if promotion.ident is not None:
            raise UserError("nothing more is read")
        config = read(file)
        promotion.start()
        promotion.join(0.5)  # where the reading is held back, so is the promotion
        return config

    world.put("m", 1)
    world.put("m", 2)
    world.start(world.config(world.model("m", ALL)), **POLL)
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})
    world.write_config(labelled(1))
    eventually(lambda: answers(world, 1, label="stable"))
    monkeypatch.setattr(ConfigFile, "read", read_just_before_a_promotion)
    eventually(lambda: promotion.ident is not None and not promotion.is_alive())
    eventually(lambda: answers(world, 2, label="stable"))
