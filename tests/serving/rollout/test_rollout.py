"""A release reaches customers in one step and is taken back in one step; no mistake breaks what serves."""

import fcntl

import pytest

from infra.base.errors import UserError
from infra.base.settings import Settings
from serving.release.manifest import MODELS
from serving.rollout import model_server_client as model_server
from serving.rollout import rollout
from serving.rollout.model_server_client import RolloutModelServer
from serving.rollout.overview import overview
from serving.rollout.releases import Releases
from serving.rollout.rollout import promote, rollback, stage
from tests.serving.rollout_world import seal
from tests.serving.saved_models import eventually


def answers(shop, **which):
    """What each model answers to x = 0: the release's number."""
    return {shop.server.predict(model, **which) for model in MODELS}


def releases(shop):
    return Releases.read(shop.settings.model_base_dir / "models.config")


def on_disk(shop):
    return {
        int(folder.name)
        for model in MODELS
        for folder in (shop.settings.model_base_dir / model).iterdir()
        if folder.name.isdigit()
    }


def staged_and_promoted(shop, *numbers):
    for number in numbers:
        stage(shop.settings, number, say=shop.said.append)
        promote(shop.settings, number, say=shop.said.append)


def test_the_first_release_is_promoted_on_an_empty_server(shop):
    staged_and_promoted(shop, 1)
    assert answers(shop, label="stable") == {1}
    assert releases(shop) == Releases(frozenset({1}), stable=1)
    assert shop.said == [
        f"Release 1: bundle verified, copying its 3 models to {shop.settings.model_base_dir}",
        "Release 1 is loaded. Next: vitrine rollout promote 1",
        "Release 1 is stable: gateways take it up within a second",
    ]


def test_a_staged_release_answers_by_its_number_only(shop):
    staged_and_promoted(shop, 1)
    stage(shop.settings, 2, say=shop.said.append)
    assert answers(shop, label="stable") == {1}
    assert answers(shop, version=2) == {2}
    assert shop.said[-1] == "Release 2 is loaded beside release 1, which serves. Next: vitrine rollout promote 2"


def test_promote_keeps_the_release_before_and_rollback_returns_to_it(shop):
    staged_and_promoted(shop, 1, 2)
    assert answers(shop, label="stable") == {2}
    assert answers(shop, version=1) == {1}
    rollback(shop.settings, say=shop.said.append)
    assert answers(shop, label="stable") == {1}
    assert answers(shop, version=2) == {2}
    assert shop.said[-1] == "Release 1 is stable again, release 2 stays loaded until the next is staged"


def test_every_step_may_be_repeated(shop):
    for _ in range(2):
        stage(shop.settings, 1, say=shop.said.append)
    for _ in range(2):
        promote(shop.settings, 1, say=shop.said.append)
    staged_and_promoted(shop, 2)
    first = rollback(shop.settings, say=shop.said.append)
    assert rollback(shop.settings, 1, say=shop.said.append) == first
    assert answers(shop, label="stable") == {1}
    promote(shop.settings, 2, say=shop.said.append)
    assert answers(shop, label="stable") == {2}
    assert releases(shop) == Releases(frozenset({1, 2}), stable=2, previous=1)


def test_releases_older_than_the_previous_go_with_the_next_stage(shop):
    staged_and_promoted(shop, 1, 2, 3)
    assert releases(shop).loaded == {1, 2, 3}
    stage(shop.settings, 4, say=shop.said.append)
    assert on_disk(shop) == {2, 3, 4}
    assert shop.server.states("ranker") == {4: "AVAILABLE", 3: "AVAILABLE", 2: "AVAILABLE", 1: "END"}


def test_a_release_that_does_not_load_is_withdrawn_with_the_servers_reason(shop, monkeypatch):
    monkeypatch.setattr(model_server, "_OLD_FAILURE_S", 0.5)
    staged_and_promoted(shop, 1)
    bundle = shop.settings.releases_dir / "2"
    (bundle / "models" / "ranker" / "saved_model.pb").write_bytes(b"broken")
    seal(bundle, 2)
    for _ in range(2):
        with pytest.raises(UserError, match=r"release 2 does not load: ranker: .*saved_model\.pb"):
            stage(shop.settings, 2, say=shop.said.append)
    assert releases(shop) == Releases(frozenset({1}), stable=1)
    assert on_disk(shop) == {1}
    assert answers(shop, label="stable") == {1}


def test_the_first_release_of_all_may_fail_to_load(shop):
    bundle = shop.settings.releases_dir / "1"
    (bundle / "models" / "query_tower" / "saved_model.pb").write_bytes(b"broken")
    seal(bundle, 1)
    with pytest.raises(UserError, match="release 1 does not load: query_tower: "):
        stage(shop.settings, 1, say=shop.said.append)
    staged_and_promoted(shop, 2)
    assert answers(shop, label="stable") == {2}


def test_a_bundle_that_was_changed_is_not_staged(shop):
    (shop.settings.releases_dir / "1" / "models" / "ranker" / "saved_model.pb").write_bytes(b"changed")
    with pytest.raises(UserError, match=r"release 1: models/ranker/saved_model\.pb has changed since it was made"):
        stage(shop.settings, 1, say=shop.said.append)
    with pytest.raises(UserError, match=r"no release at .*/releases/9: .*vitrine train"):
        stage(shop.settings, 9, say=shop.said.append)


def test_a_loaded_release_never_changes_and_one_that_is_not_loaded_is_replaced(shop):
    staged_and_promoted(shop, 1)
    stray = shop.settings.model_base_dir / "ranker" / "2" / "saved_model.pb"
    stray.parent.mkdir()
    stray.write_bytes(b"of another day")
    staged_and_promoted(shop, 2)
    bundle = shop.settings.releases_dir / "2"
    (bundle / "models" / "ranker" / "assets.extra").mkdir()
    (bundle / "models" / "ranker" / "assets.extra" / "note").write_text("retrained")
    seal(bundle, 2)
    with pytest.raises(UserError, match=r"release 2 is loaded from .* train under the next number"):
        stage(shop.settings, 2, say=shop.said.append)
    assert answers(shop, label="stable") == {2}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda settings: promote(settings, 2), "release 2 is not staged; run `vitrine rollout stage 2` first"),
        (rollback, "there is no release to return to: none was stable before this one"),
    ],
)
def test_steps_out_of_order_are_refused_with_the_way_out(shop, step, message):
    staged_and_promoted(shop, 1)
    with pytest.raises(UserError, match=message):
        step(shop.settings)
    assert answers(shop, label="stable") == {1}


def test_rollback_to_another_than_the_previous_is_refused(shop):
    staged_and_promoted(shop, 1, 2)
    with pytest.raises(UserError, match="release 7 is not the one before: that is 1"):
        rollback(shop.settings, 7)


def test_two_rollouts_at_once_are_refused(shop):
    staged_and_promoted(shop, 1)
    with (shop.settings.model_base_dir / "rollout.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=r"another rollout is under way \(process \d+ holds "):
            promote(shop.settings, 1)
    promote(shop.settings, 1, say=shop.said.append)


def test_without_a_server_nothing_is_changed(tmp_path):
    settings = Settings(var_dir=tmp_path, tf_serving_address="127.0.0.1:1")
    Releases(frozenset({1, 2}), stable=1).write(_config_of(settings))
    with pytest.raises(UserError, match=r"no answer from the model server at 127\.0\.0\.1:1 .*vitrine stack start"):
        promote(settings, 2)
    assert Releases.read(_config_of(settings)).stable == 1


def _config_of(settings):
    settings.model_base_dir.mkdir(parents=True, exist_ok=True)
    return settings.model_base_dir / "models.config"


def test_a_crash_between_file_and_call_comes_right_by_the_file(shop, monkeypatch):
    staged_and_promoted(shop, 1)
    stage(shop.settings, 2, say=shop.said.append)

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(RolloutModelServer, "reload", crash)
    with pytest.raises(KeyboardInterrupt):
        promote(shop.settings, 2, say=shop.said.append)
    eventually(lambda: answers(shop, label="stable") == {2})
    monkeypatch.undo()
    promote(shop.settings, 2, say=shop.said.append)
    assert releases(shop) == Releases(frozenset({1, 2}), stable=2, previous=1)


def test_a_server_that_starts_anew_comes_back_with_what_was_promoted(shop):
    staged_and_promoted(shop, 1, 2)
    rollback(shop.settings, say=shop.said.append)
    shop.server.stop()
    shop.server.start(allow_version_labels_for_unavailable_models=True)
    for model in MODELS:
        shop.server.until(model, {1: "AVAILABLE", 2: "AVAILABLE"})
    assert answers(shop, label="stable") == {1}
    assert answers(shop, version=2) == {2}


def test_a_refused_promotion_leaves_the_file_as_it_was(shop, monkeypatch):
    staged_and_promoted(shop, 1)
    stage(shop.settings, 2, say=shop.said.append)
    monkeypatch.setattr(Releases, "to_config", _with_label_on_nothing(Releases.to_config))
    with pytest.raises(UserError, match="the model server refuses release 2 as stable: FAILED_PRECONDITION"):
        promote(shop.settings, 2, say=shop.said.append)
    assert answers(shop, label="stable") == {1}


def _with_label_on_nothing(to_config):
    """As if version 2 had gone between the question and the call."""

    def changed(self, model_base_dir):
        config = to_config(self, model_base_dir)
        for model in config.model_config_list.config:
            if model.version_labels["stable"] == 2:
                model.version_labels["stable"] = 9
        return config

    return changed


def test_models_that_are_not_ours_are_left_in_the_file(shop):
    other = shop.settings.model_base_dir / "other" / "5"
    other.mkdir(parents=True)
    shop.server.write_config(shop.server.config(shop.server.model("other")))
    staged_and_promoted(shop, 1)
    assert 'name: "other"' in (shop.settings.model_base_dir / "models.config").read_text()


def test_a_file_whose_models_differ_is_an_error_that_says_so(tmp_path):
    path = tmp_path / "models.config"
    Releases(frozenset({1}), stable=1).write(path)
    path.write_text(path.read_text().replace("value: 1", "value: 2", 1))
    with pytest.raises(UserError, match="the models query_tower, candidate_tower, ranker are not at the same releases"):
        Releases.read(path)
    path.write_text("nonsense")
    with pytest.raises(UserError, match="is not what `vitrine rollout` writes: 1:1"):
        Releases.read(path)


def test_status_shows_file_and_server_side_by_side(shop):
    staged_and_promoted(shop, 1, 2)
    stage(shop.settings, 3, say=shop.said.append)
    table = overview(shop.settings)
    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert rows[0] == ("4", "", "yes", "", "", "")
    assert rows[1] == ("3", "loaded", "yes", *["AVAILABLE"] * 3)
    assert rows[2] == ("2", "stable", "yes", *["AVAILABLE (stable)"] * 3)
    assert rows[3] == ("1", "previous", "yes", *["AVAILABLE"] * 3)


def test_the_module_says_what_it_does_on_the_terminal_by_default(shop, capsys):
    stage(shop.settings, 1)
    assert "Release 1 is loaded" in capsys.readouterr().out
    assert rollout.CONFIG_FILE_NAME == "models.config"
