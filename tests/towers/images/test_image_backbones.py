"""EfficientNet-Lite0 sees what it should, and ResNet152's absence is noticed in seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_sample_image

from infra.base.errors import UserError
from towers.images import efficientnet_lite0, resnet152_weights
from towers.images.backbone import open_backbone
from towers.images.efficientnet_lite0 import EfficientNetLite0, packaged_weights
from towers.images.pictures import read_square
from towers.images.torch_checkpoint import read_checkpoint

MILITARY_UNIFORM, DAISY = 652, 985  # ImageNet classes


@pytest.fixture(scope="module")
def network() -> EfficientNetLite0:
    return EfficientNetLite0()


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8)


def test_it_names_what_is_on_well_known_photographs(network: EfficientNetLite0) -> None:
    hopper = read_square(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg", 224)
    flower = tf.image.resize(load_sample_image("flower.jpg"), (224, 224)).numpy().astype(np.uint8)
    weights = read_checkpoint(packaged_weights())  # those of ImageNet's classes are in it, too
    logits = network.embed(np.stack([hopper, flower])) @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert logits.argmax(axis=1).tolist() == [MILITARY_UNIFORM, DAISY]


def test_embeddings_have_the_promised_shape_and_are_averages_of_relu6(
    network: EfficientNetLite0, noise: np.ndarray
) -> None:
    embeddings = network.embed(noise)
    assert (embeddings.shape, embeddings.dtype) == ((5, network.dim), np.dtype(np.float32))
    assert embeddings.min() >= 0
    assert 0 < embeddings.max() <= 6


def test_the_same_picture_gives_the_same_embedding(network: EfficientNetLite0, noise: np.ndarray) -> None:
    np.testing.assert_array_equal(network.embed(noise), network.embed(noise))


def test_a_batch_gives_what_single_pictures_give(network: EfficientNetLite0, noise: np.ndarray) -> None:
    single = np.concatenate([network.embed(noise[i : i + 1]) for i in range(len(noise))])
    np.testing.assert_allclose(network.embed(noise), single, atol=2e-4)


def test_folded_batch_normalisation_is_batch_normalisation(noise: np.ndarray) -> None:
    tensors = read_checkpoint(packaged_weights())
    reader = efficientnet_lite0._Reader(tensors, packaged_weights())
    weights, bias = reader.convolution("_conv_stem", "_bn0", 3, 3, 32)
    values = tf.constant(noise[:2], tf.float32) / 128
    folded = tf.nn.conv2d(values, weights, 2, "SAME") + bias
    plain = tf.nn.conv2d(values, tensors["_conv_stem.weight"].transpose(2, 3, 1, 0), 2, "SAME")
    scale, offset, mean, variance = (
        tensors[f"_bn0.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    expected = tf.nn.batch_normalization(plain, mean, variance, offset, scale, 1e-3)
    np.testing.assert_allclose(folded, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop("_bn1.bias"), "no tensor '_bn1.bias'"),
        (lambda tensors: tensors.update(surprise=np.zeros(1)), "does not have: \\['surprise'\\]"),
        (lambda tensors: tensors.update({"_fc.bias": np.zeros(10)}), "shape \\(10,\\)"),
    ],
    ids=["one missing", "one too many", "another shape"],
)
def test_weights_must_be_exactly_those_of_the_network(
    change: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = read_checkpoint(packaged_weights())
    change(tensors)  # type: ignore[operator]
    monkeypatch.setattr(efficientnet_lite0, "read_checkpoint", lambda _: tensors)
    with pytest.raises(UserError, match=message):
        EfficientNetLite0()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes the connection and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.fixture
def answering_port(tmp_path: Path) -> Iterator[int]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("port_fixture", ["closed_port", "silent_port"])
def test_out_of_reach_is_known_in_seconds(port_fixture: str, request: pytest.FixtureRequest) -> None:
    url = f"http://127.0.0.1:{request.getfixturevalue(port_fixture)}/weights.h5"
    started = time.monotonic()
    assert not resnet152_weights.reachable(url, 0.5)
    assert time.monotonic() - started < 5


def test_an_answer_is_within_reach(answering_port: int) -> None:
    assert resnet152_weights.reachable(f"http://127.0.0.1:{answering_port}/", 5)


@pytest.fixture
def no_resnet(tmp_path: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without ResNet152's weights and without a way to them."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(resnet152_weights, "URL", f"http://127.0.0.1:{closed_port}/weights.h5")


@pytest.mark.usefixtures("no_resnet")
def test_auto_says_which_network_it_falls_back_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert open_backbone("auto").name == "efficientnet-lite0"
    assert "using efficientnet-lite0" in capsys.readouterr().out


@pytest.mark.usefixtures("no_resnet")
def test_resnet_asked_for_by_name_is_not_replaced() -> None:
    with pytest.raises(UserError, match="--weights FILE or choose --backbone efficientnet-lite0"):
        open_backbone("resnet152")


def test_options_that_cannot_be_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing\.h5 is no file"):
        open_backbone("auto", tmp_path / "missing.h5")
    with pytest.raises(UserError, match="belongs to resnet152"):
        open_backbone("efficientnet-lite0", tmp_path / "any.h5")
    with pytest.raises(UserError, match="'vgg' is unknown"):
        open_backbone("vgg")
