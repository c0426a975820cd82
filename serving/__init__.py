"""Everything that answers a storefront, and the release that it answers with.

``gateway`` answers calls, with deadlines and I/O around the pure stages of ``ranking``, whose candidates come from
``retrieval``; ``release`` is the bundle that holds what they need; ``rollout`` brings it to customers and back.
``tf_serving`` is the lean client of TensorFlow Serving, ``model_server`` the embedded stand-in for it, ``proto`` the
messages.

Nothing here imports TensorFlow, except the embedded model server, and nothing imports ``towers``: training and
evaluation import ``ranking``, ``retrieval`` and ``release`` instead, so that what is served is what was evaluated.
"""
