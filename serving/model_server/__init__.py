"""The embedded stand-in for TensorFlow Serving: hosts SavedModels under its gRPC services on a laptop, without Docker.

It answers as the real one does, status codes and messages included, so that the two are exchanged by one address. The
way of a call: ``prediction_service`` -> ``model_host`` (which version does the request mean) -> ``versions`` (lease it)
-> ``servable`` (run it). The way of a version: ``model_host`` polls the base paths -> ``version_policy`` (which are
wanted) -> ``versions`` with ``availability`` (load and unload, never leaving a model without a version) and
``load_retries`` (when one that could not be loaded is tried again).

This is the one room of ``serving`` that imports TensorFlow. Behaviour follows TensorFlow Serving 2.20; names and
messages can be looked up in github.com/tensorflow/serving, ``tensorflow_serving/{core,model_servers,servables}``.
"""
