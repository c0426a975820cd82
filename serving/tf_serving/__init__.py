"""The lean client of TensorFlow Serving: predictions, model status and reloads for gateway and rollout.

It speaks to the official method paths with messages of our own (``serving/proto/tf_serving.proto``, same wire format),
because importing the official package imports all of TensorFlow. It works alike against a real TensorFlow Serving and
against the embedded model server.
"""
