"""Feast's stream feature views, mended: importing this keeps a view's join key out of its list of features.

Feast 0.67 writes a ``StreamFeatureView`` with ``features = schema``, and a schema holds the join key: whoever then asks
for all features of the view gets None in place of the key, and ``apply`` sees a change in every view as it stands. What
reads and rewrites the registry is Feast's own class, at every load anew, so that a class of ours could not help.
"""

from __future__ import annotations

from typing import Any

from feast.stream_feature_view import StreamFeatureView

_to_proto = StreamFeatureView.to_proto


def to_proto_without_join_keys(view: StreamFeatureView) -> Any:
    """The view's protobuf message, with its features in the order of their definition."""
    message = _to_proto(view)
    del message.spec.features[:]
    message.spec.features.extend(field.to_proto() for field in view.features if field.name not in view.join_keys)
    return message


__all__ = ["StreamFeatureView"]

StreamFeatureView.to_proto = to_proto_without_join_keys
