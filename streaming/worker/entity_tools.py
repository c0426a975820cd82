"""What brings the windows of customers, and those of articles, forward: their store and their expiry index."""

from __future__ import annotations

from feature_repo.online.redis_pipe import Pipe
from streaming.store.window_store import WindowStore
from streaming.time.cluster_expiry_index import ClusterExpiryIndex
from streaming.time.expiry_index import ExpiryIndex
from streaming.windows.definitions import ARTICLE_WINDOW, CUSTOMER_WINDOW
from streaming.windows.tiles import ARTICLE_TILES, CUSTOMER_TILES


def entity_tools(pipe: Pipe) -> tuple[tuple[WindowStore, ExpiryIndex], tuple[WindowStore, ExpiryIndex]]:
    """Store and expiry index of customers, and of articles."""
    index = ClusterExpiryIndex if pipe.is_cluster else ExpiryIndex
    return (
        (WindowStore(pipe, CUSTOMER_WINDOW, CUSTOMER_TILES), index(pipe, "customer", CUSTOMER_WINDOW.change_lags)),
        (WindowStore(pipe, ARTICLE_WINDOW, ARTICLE_TILES), index(pipe, "article", ARTICLE_WINDOW.change_lags)),
    )
