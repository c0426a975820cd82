"""TensorFlow Recommenders needs the Keras of TensorFlow 2.15 and before; chosen before TensorFlow is first imported."""

from __future__ import annotations

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
