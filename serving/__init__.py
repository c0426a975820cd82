"""Everything that answers a storefront: the gateway, the sources of candidates, the model server and the rollout.

Nothing here imports TensorFlow, except the embedded model server, and nothing imports ``towers``: training imports
``serving.retrieval`` and ``serving.release`` instead, so that what is served is what was trained and evaluated.
"""
