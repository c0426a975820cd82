"""The 30-day windows as a Quix Streams application: the peer of ``bench_streaming.py``, run in its own environment.

Same topic, same definitions: calendar-day tiles, sums as integers of micro units, exact distinct counts, the last 20
articles, event ids against a producer that sends twice. Customers' windows are one state value each; an article's
tiles are one value and each of its buyers' last days another, so that a bestseller costs no more than any article.
Article windows need the purchases keyed by article: ``group_by`` sends them through a topic. Exactly once by Kafka's
transactions; state is in RocksDB with changelog topics. Features go to Redis at each checkpoint, as one JSON text per
customer or article, the latest only.

``python quix_windows.py BOOTSTRAP_SERVERS TOPIC STATE_DIR REDIS_URL`` prints, every half second, a line of JSON:
seconds on the monotonic clock, purchases in customers' windows, purchases in articles' windows.
"""

import json
import sys
import threading
import time
from datetime import datetime, timedelta

import redis
from quixstreams import Application
from quixstreams.sinks import BatchingSink

WINDOW_DAYS = 30
RECENT = 20
IN_WINDOW = timedelta(days=WINDOW_DAYS + 1)
done = {"customers": 0, "articles": 0}


def purchase_of(event):
    at = datetime.fromisoformat(event["occurred_at"])
    return {
        "event_id": event["event_id"],
        "at": event["occurred_at"],
        "day": at.toordinal(),
        "customer_id": event["customer_id"],
        "article_id": event["article_id"],
        "price": round(event["price"] * 1e6),
        "online": event["sales_channel_id"] == 2,
    }


class LatestFeatures(BatchingSink):
    """Writes the latest features of each customer or article to Redis, before the checkpoint is committed."""

    def __init__(self, url, prefix):
        super().__init__()
        self._url, self._prefix = url, prefix

    def setup(self):
        self._client = redis.Redis.from_url(self._url)

    def write(self, batch):
        latest = {item.key: item.value for item in batch}
        with self._client.pipeline(transaction=False) as pipe:
            for key, features in latest.items():
                pipe.set(f"{self._prefix}{key}", json.dumps(features))
            pipe.execute()


def into_customer(purchase, state):
    """Count a purchase into its customer's window; None if it was in it already."""
    done["customers"] += 1
    day = str(purchase["day"])
    tiles = {key: tile for key, tile in state.get("tiles", {}).items() if int(key) > purchase["day"] - WINDOW_DAYS}
    tile = tiles.setdefault(day, {"ids": [], "spend": 0, "online": 0, "articles": []})
    if purchase["event_id"] in tile["ids"]:
        return None
    tile["ids"].append(purchase["event_id"])
    tile["spend"] += purchase["price"]
    tile["online"] += purchase["online"]
    tile["articles"].append([purchase["at"], purchase["article_id"]])
    state.set("tiles", tiles, ttl=IN_WINDOW)
    return purchase, customer_features(tiles.values())


def customer_features(tiles):
    bought = sorted(entry for tile in tiles for entry in tile["articles"])
    spend = sum(tile["spend"] for tile in tiles)
    return {
        "purchases": len(bought),
        "spend_micros": spend,
        "distinct_articles": len({article_id for _, article_id in bought}),
        "active_days": len(tiles),
        "mean_price_micros": spend / len(bought),
        "online_share": sum(tile["online"] for tile in tiles) / len(bought),
        "last_purchase_at": bought[-1][0],
        "articles": [article_id for _, article_id in bought[-RECENT:]],
    }


def into_article(purchase, state):
    """Count a purchase into its article's window. A buyer counts on the last day that they bought it."""
    done["articles"] += 1
    day = purchase["day"]
    tiles = {key: tile for key, tile in state.get("tiles", {}).items() if int(key) > day - WINDOW_DAYS}
    tile = tiles.setdefault(str(day), {"units": 0, "spend": 0, "buyers": 0, "last": ""})
    tile["units"] += 1
    tile["spend"] += purchase["price"]
    tile["last"] = max(tile["last"], purchase["at"])
    buyer = "buyer-" + purchase["customer_id"]
    last_day = state.get(buyer, 0)
    if day > last_day:
        if str(last_day) in tiles:
            tiles[str(last_day)]["buyers"] -= 1
        tile["buyers"] += 1
        state.set(buyer, day, ttl=IN_WINDOW)
    state.set("tiles", tiles, ttl=IN_WINDOW)
    return article_features(tiles, day)


def article_features(tiles, day):
    units = sum(tile["units"] for tile in tiles.values())
    week = sum(tile["units"] for key, tile in tiles.items() if int(key) > day - 7)
    return {
        "units": units,
        "distinct_customers": sum(tile["buyers"] for tile in tiles.values()),
        "units_7d": week,
        "units_3d": sum(tile["units"] for key, tile in tiles.items() if int(key) > day - 3),
        "trend": (week + 1) * WINDOW_DAYS / (units * 7 + WINDOW_DAYS),
        "mean_price_micros": sum(tile["spend"] for tile in tiles.values()) / units,
        "last_sale_at": max(tile["last"] for tile in tiles.values()),
    }


def tell():
    while True:
        print(json.dumps([time.monotonic(), done["customers"], done["articles"]]), flush=True)
        time.sleep(0.5)


def main():
    servers, topic, state_dir, redis_url = sys.argv[1:]
    application = Application(
        servers,
        consumer_group="quix-windows",
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=state_dir,
        loglevel="WARNING",
    )
    purchases = application.dataframe(application.topic(topic, value_deserializer="json", key_deserializer="str"))
    counted = purchases.apply(purchase_of).apply(into_customer, stateful=True).filter(lambda new: new is not None)
    counted.apply(lambda new: new[1]).sink(LatestFeatures(redis_url, "customer:"))
    articles = counted.apply(lambda new: new[0]).group_by("article_id").apply(into_article, stateful=True)
    articles.sink(LatestFeatures(redis_url, "article:"))
    threading.Thread(target=tell, daemon=True).start()
    application.run()


if __name__ == "__main__":
    main()
