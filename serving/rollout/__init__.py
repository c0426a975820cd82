"""Bringing a release to customers and taking it back: stage, promote, roll back.

``releases`` says which release is stable, which one was before it and which are loaded, and is the file
``models.config``; ``base_paths`` copies models in and out; ``model_server_client`` tells TensorFlow Serving and waits
for it; ``rollout`` is the order of these steps, in which a crash between any two leaves a state that serves and that
the same command completes.
"""
