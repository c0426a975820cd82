"""The messages on the wire: Vitrine's own service, and the few of TensorFlow Serving's that the gateway needs.

``*.proto`` are the sources; ``make proto`` generates the Python beside them, which is committed.
"""
