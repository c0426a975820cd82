"""ResNet152 from Keras applications: 2048 numbers a picture, by global average pooling.

He et al. 2015, https://arxiv.org/abs/1512.03385.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras

from infra.base.errors import UserError


class ResNet152:
    """The network up to global average pooling."""

    name = "resnet152"
    input_size = 224
    dim = 2048

    def __init__(self, weights_path: Path) -> None:
        """Build the network with weights without top, in Keras' ``.h5`` format.

        Raises:
            UserError: the file holds other weights.
        """
        shape = (self.input_size, self.input_size, 3)
        model = tf_keras.applications.ResNet152(include_top=False, pooling="avg", weights=None, input_shape=shape)
        try:
            model.load_weights(weights_path)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"--weights {weights_path} does not fit ResNet152 without top ({error})") from error
        with weights_path.open("rb") as file:
            self.weights_digest = hashlib.file_digest(file, "sha256").hexdigest()

        @tf.function(input_signature=[tf.TensorSpec([None, *shape], tf.uint8)])
        def pooled(images: tf.Tensor) -> tf.Tensor:
            values = tf_keras.applications.resnet.preprocess_input(tf.cast(images, tf.float32))
            return model(values, training=False)

        self._pooled = pooled

    def embed(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 [b, 224, 224, 3] to float32 [b, 2048]."""
        result: npt.NDArray[np.float32] = self._pooled(images).numpy()
        return result
