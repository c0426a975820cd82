"""Learning what a customer wants: training data, models, training, evaluation, release bundle.

``data`` is what is learned from, ``models`` are the towers and the ranker with their losses, ``training`` fits and
writes them, ``evaluation`` measures them, ``images`` turns pictures into numbers and ``reports`` numbers into pictures.

Everything here runs offline, on purchases before a given day. What the gateway also does (candidate sources, query and
ranking features, the bundle's format) lives in ``serving.retrieval``, ``serving.ranking`` and ``serving.release`` and
is imported from there, so that what is served is what was trained and evaluated.
"""

import os

# TensorFlow Recommenders runs on Keras 2, and TensorFlow decides which Keras it is when it is first imported.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
