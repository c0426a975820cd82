"""A made-up shop of H&M's size: a release, models of the real ones' shapes, and an online store, without training."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import redis

from feature_repo.online.format import encode_timestamp, encode_value
from feature_repo.online.keys import entity_key, feature_field, timestamp_field
from feature_repo.schema import ARTICLE_ACTIVITY_30D, CUSTOMER_HISTORY, CUSTOMER_PROFILE, View
from serving.ranking.query_features import QUERY_CATEGORIES, QUERY_NUMERIC
from serving.ranking.ranking_features import ranking_feature_names
from serving.release.manifest import Manifest, SourceQuota
from serving.release.writer import ReleaseContent, write_release
from serving.retrieval.articles import ACTIVITY_COLUMNS, CATEGORIES, SALES_COLUMNS, ArticleTable
from serving.retrieval.customer import RECENT_PURCHASES
from serving.retrieval.sources.bought_together import NEIGHBOURS, BoughtTogetherSource
from serving.retrieval.sources.registry import source_class
from serving.retrieval.sources.source import Quota
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.article_counts import with_counts
from towers.training.factor_fitting import fit_latent_factors
from towers.training.fitting import QUOTAS

ARTICLES, PRODUCTS, DIM, CUSTOMERS = 105_542, 47_224, 64, 500
CATEGORY_SIZES = dict(zip(CATEGORIES, (131, 19, 30, 50, 8, 20, 250, 10, 5, 56, 21), strict=True))
TODAY = 18_525  # 2020-09-20
WINDOW = "2020-09-20"


def article_table(rng: np.random.Generator) -> ArticleTable:
    categories = np.stack([rng.integers(1, size + 1, ARTICLES) for size in CATEGORY_SIZES.values()], axis=1)
    activity = rng.gamma(0.3, 30, (ARTICLES, len(ACTIVITY_COLUMNS))).astype(np.float32)
    sales = rng.gamma(0.5, 1_000, (ARTICLES, len(SALES_COLUMNS))).astype(np.float32)
    # As at H&M over some days, nearly all of a catalogue is cold.
    units = SALES_COLUMNS.index("units")
    sales[:, units] = np.where(rng.random(ARTICLES) < 0.95, rng.integers(0, 6, ARTICLES), sales[:, units] + 6)
    purchases = PurchaseLog(
        np.repeat(np.arange(5_000, dtype=np.int32), 4),
        rng.integers(0, ARTICLES, 20_000).astype(np.int32),
        np.full(20_000, TODAY - 1, np.int32),
    )
    table = ArticleTable(
        ids=[f"{108775000 + number:010d}" for number in range(ARTICLES)],
        names=np.asarray([f"Product {number % PRODUCTS}".encode() for number in range(ARTICLES)]),
        product=rng.integers(0, PRODUCTS, ARTICLES).astype(np.int32),
        categories=categories.astype(np.int32),
        vocabularies={name: ["", *(f"{name} {n}" for n in range(size))] for name, size in CATEGORY_SIZES.items()},
        sales=sales,
        activity=activity,
        in_stock=np.ones(ARTICLES, np.bool_),
    )
    table = with_counts(table, purchases)
    return replace(
        table, latent_factors=fit_latent_factors(purchases, table, rng.normal(size=(ARTICLES, 40)).astype(np.float32))
    )


def write_bundle(releases_dir: Path, rng: np.random.Generator) -> np.ndarray:
    table = article_table(rng)
    vectors = rng.normal(size=(ARTICLES, DIM)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    neighbours = rng.integers(0, ARTICLES, (ARTICLES, NEIGHBOURS), dtype=np.int32)
    together = BoughtTogetherSource(neighbours, np.sort(rng.random(neighbours.shape, np.float32))[:, ::-1].copy())
    quotas = [
        Quota(together if name == together.name else source_class(name).load(Path(), table), limit)
        for name, limit in QUOTAS.items()
    ]
    manifest = Manifest(
        release=1,
        as_of=WINDOW,
        created_at="2020-09-20T00:00:00+00:00",
        seed=1,
        articles=ARTICLES,
        embedding_dim=DIM,
        temperature=0.1,
        prior_weight=0.3,
        sources=tuple(SourceQuota(quota.source.name, quota.limit) for quota in quotas),
        query_numeric=QUERY_NUMERIC,
        query_categories={name: ["", "ACTIVE"] for name in QUERY_CATEGORIES},
        ranking_features=ranking_feature_names(tuple(QUOTAS)),
        image_backbone="none",
        metrics={},
    )
    nothing = dict.fromkeys(("query_tower", "candidate_tower", "ranker"), lambda folder: folder.mkdir(parents=True))
    write_release(releases_dir, ReleaseContent(manifest, table, vectors, quotas, nothing, {}, {}))
    return vectors


def write_models(base_dir: Path, vectors: np.ndarray) -> None:
    """A query tower and a ranker of the real ones' shapes, untrained."""
    import tensorflow as tf

    class QueryTower(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.items = tf.Variable(vectors)
            self.dense = tf.Variable(tf.random.normal((len(QUERY_NUMERIC) + DIM, DIM), stddev=0.1))

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, len(QUERY_NUMERIC)), tf.float32, "numeric"),
                tf.TensorSpec((None, len(QUERY_CATEGORIES)), tf.int32, "categories"),
                tf.TensorSpec((None, RECENT_PURCHASES), tf.int32, "recent"),
                tf.TensorSpec((None, RECENT_PURCHASES), tf.float32, "recent_age_days"),
            ]
        )
        def __call__(self, numeric, categories, recent, recent_age_days):
            known = tf.cast(recent >= 0, tf.float32)[..., None]
            history = tf.reduce_sum(tf.gather(self.items, tf.maximum(recent, 0)) * known, axis=1)
            numbers = tf.where(tf.math.is_nan(numeric), 0.0, tf.math.log1p(tf.abs(numeric)))
            mixed = history + tf.concat([numbers, history], axis=1) @ self.dense * 0.01
            return {"query_embedding": tf.math.l2_normalize(mixed, axis=1)}

    features = len(ranking_feature_names(tuple(QUOTAS)))

    class Ranker(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = (features, 64, 32, 1)
            self.layers = [
                [tf.Variable(tf.random.normal((a, b), stddev=0.1)) for a, b in itertools.pairwise(sizes)]
                for _ in range(4)
            ]

        @tf.function(input_signature=[tf.TensorSpec((None, features), tf.float32, "features")])
        def __call__(self, features):
            scaled = tf.where(tf.math.is_nan(features), 0.0, tf.sign(features) * tf.math.log1p(tf.abs(features)))
            scores = []
            for first, second, last in self.layers:
                scores.append(tf.nn.relu(tf.nn.relu(scaled @ first) @ second) @ last)
            return {"score": tf.sigmoid(tf.add_n(scores) / 4)[:, 0]}

    for name, model in {"query_tower": QueryTower(), "ranker": Ranker()}.items():
        tf.saved_model.save(model, str(base_dir / name / "1"), signatures={"serving_default": model.__call__})
    (base_dir / "models.config").write_text(
        "model_config_list {"
        + "".join(
            f' config {{ name: "{name}" base_path: "{base_dir / name}" model_platform: "tensorflow"'
            ' version_labels { key: "stable" value: 1 } }'
            for name in ("query_tower", "ranker")
        )
        + " }\n"
    )


def fill_online_store(client: redis.Redis, rng: np.random.Generator) -> list[str]:
    """Sales of every article, and customers with 5 to 60 articles bought; gives the customers' ids."""
    stamp = encode_timestamp(datetime(2020, 9, 20, tzinfo=UTC))

    def row(view: View, values: dict[str, object]) -> dict[bytes, bytes]:
        kinds = {feature.name: feature.kind for feature in view.features}
        fields = {feature_field(view.name, name): encode_value(kinds[name], value) for name, value in values.items()}
        return {**fields, timestamp_field(view.name): stamp}

    ids = [f"{108775000 + number:010d}" for number in range(ARTICLES)]
    units = rng.gamma(0.3, 30, ARTICLES).astype(int)
    pipeline = client.pipeline(transaction=False)
    for number, article_id in enumerate(ids):
        u = int(units[number])
        values = {"units": u, "distinct_customers": u, "units_7d": u // 4, "units_3d": u // 10, "trend": 1.0}
        values |= {"mean_price_micros": 25_000.0, "last_sale_at": (TODAY * 86_400 - 5) * 1_000_000}
        pipeline.hset(entity_key("article", article_id), mapping=row(ARTICLE_ACTIVITY_30D, values))
        if number % 5_000 == 4_999:
            pipeline.execute()
    customers = [f"{number:064x}" for number in range(CUSTOMERS)]
    for customer in customers:
        bought = rng.choice(ARTICLES, int(rng.integers(5, 61)), replace=False)
        days = np.sort(rng.integers(TODAY - 400, TODAY, bought.size))[::-1]
        history = dict.fromkeys(("purchases", "distinct_articles", "active_days", "spend_micros"), 3)
        history |= {"spend_mean_micros": 25_000.0, "spend_std_micros": 9_000.0, "online_share": 0.5}
        history |= {"first_purchase_day": int(days[-1]), "last_purchase_day": int(days[0])}
        history |= {"weekday_shares": [0.1] * 7, "season_shares": [0.25] * 4}
        history |= {"articles": [ids[n] for n in bought], "article_times": [1] * bought.size}
        history |= {"article_last_days": days.tolist()}
        profile = {"age": 30, "club_member_status": "ACTIVE", "fashion_news_frequency": "NONE", "active": True}
        fields = row(CUSTOMER_HISTORY, history) | row(CUSTOMER_PROFILE, profile)
        pipeline.hset(entity_key("customer", customer), mapping=fields)
    pipeline.execute()
    return customers
