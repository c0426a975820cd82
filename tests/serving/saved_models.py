"""Small SavedModels whose answers anyone can compute, and the wait for a condition."""

import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf


def half_plus(folder: Path, offset: float) -> Path:
    """x / 2 + offset, as TensorFlow Serving's own examples have it."""

    class HalfPlus(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def half_plus(self, x):
            return {"y": x / 2 + self.offset}

    module = HalfPlus()
    module.offset = tf.Variable(float(offset))
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.half_plus})
    return folder


def two_inputs(folder: Path) -> Path:
    """``a`` [2, 2] times ``b`` [2], with two outputs; fails inside the graph on other shapes."""

    class TwoInputs(tf.Module):
        @tf.function(
            input_signature=[tf.TensorSpec(None, tf.float32, name="a"), tf.TensorSpec(None, tf.float32, name="b")]
        )
        def both(self, a, b):
            return {"product": tf.linalg.matvec(a, b), "sum": tf.reduce_sum(a)}

    module = TwoInputs()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.both})
    return folder


def echo(folder: Path, dtype: tf.DType) -> Path:
    """Gives back what it gets."""

    class Echo(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(None, dtype, name="value")])
        def echo(self, value):
            return {"echoed": tf.identity(value)}

    module = Echo()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.echo})
    return folder


def counting(folder: Path) -> Path:
    """Counts to ``steps``: as slow as one likes."""

    class Counting(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.int32, name="steps")])
        def count(self, steps):
            (counted,) = tf.while_loop(lambda i: i < steps, lambda i: (i + 1,), (tf.constant(0),))
            return {"counted": counted}

    module = Counting()
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.count})
    return folder


def eventually(condition: Callable[[], object], within_seconds: float = 15) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_seconds} s: {condition}"
        time.sleep(0.01)
