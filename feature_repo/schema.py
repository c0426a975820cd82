"""The feature views, as plain data: names, types and meaning of every feature.

``definitions.py`` makes Feast's objects from this table, ``batch/`` computes its columns and ``online/`` reads and
writes them in Feast's own format, without any of the fast paths having to import Feast (which takes seconds).
To add a feature, add a line here and compute it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PROJECT = "vitrine"
WINDOW_DAYS = 30
WEEK_DAYS = 7
RECENT_DAYS = 3
"""Of ``units_3d``: yesterday, the day before and today so far."""


class Kind(Enum):
    """The value types in use, by the names of Feast's types."""

    STRING = "String"
    INT64 = "Int64"
    FLOAT64 = "Float64"
    BOOL = "Bool"
    STRINGS = "Array(String)"
    INT64S = "Array(Int64)"
    FLOAT32S = "Array(Float32)"


@dataclass(frozen=True)
class Feature:
    """One feature: its name, type and meaning."""

    name: str
    kind: Kind
    description: str


@dataclass(frozen=True)
class View:
    """One feature view. ``source`` is how values arrive: ``batch``, ``stream`` (Kafka and batch) or ``push``."""

    name: str
    entity: str
    source: str
    ttl_days: int
    description: str
    features: tuple[Feature, ...]

    def references(self) -> list[str]:
        """Feast's ``view:feature`` names, in order."""
        return [f"{self.name}:{feature.name}" for feature in self.features]


ENTITIES = {
    "customer": ("customer_id", "A person who buys; 64 hexadecimal characters at H&M."),
    "article": ("article_id", "One colour of one product; 10 digits, leading zeros matter."),
}

S, I, F, B = Kind.STRING, Kind.INT64, Kind.FLOAT64, Kind.BOOL  # noqa: E741

CUSTOMER_PROFILE = View(
    "customer_profile", "customer", "batch", 0, "What the customer told the shop.",
    (
        Feature("age", I, "Age in years; missing for some."),
        Feature("club_member_status", S, "ACTIVE, PRE-CREATE, LEFT CLUB or missing."),
        Feature("fashion_news_frequency", S, "How often the customer takes the newsletter."),
        Feature("fashion_news", B, "Takes the newsletter (column FN)."),
        Feature("active", B, "Open to communication (column Active)."),
        Feature("postal_code", S, "Hashed postal code."),
    ),
)  # fmt: skip

CUSTOMER_HISTORY = View(
    "customer_history", "customer", "batch", 0, "Everything bought before the day of the row.",
    (
        Feature("purchases", I, "Articles bought, repeats counted."),
        Feature("distinct_articles", I, "Different articles bought."),
        Feature("active_days", I, "Days with at least one purchase."),
        Feature("mean_days_between_purchases", F, "Mean gap between active days; missing before the second."),
        Feature("spend_micros", I, "Sum of prices, millionths of the currency unit."),
        Feature("spend_mean_micros", F, "Mean price."),
        Feature("spend_std_micros", F, "Standard deviation of prices; missing before the second purchase."),
        Feature("spend_max_micros", I, "Highest price."),
        Feature("online_share", F, "Share bought online (sales channel 2)."),
        Feature("first_purchase_day", I, "Day of the first purchase, days since 1970-01-01."),
        Feature("last_purchase_day", I, "Day of the last purchase, days since 1970-01-01."),
        Feature("weekday_shares", Kind.FLOAT32S, "Shares of purchases by weekday, Monday first; 7 values."),
        Feature("season_shares", Kind.FLOAT32S, "Shares by meteorological season, winter first; 4 values."),
        Feature("articles", Kind.STRINGS, "The last 100 distinct articles, newest first."),
        Feature("article_times", Kind.INT64S, "How often each of these was bought."),
        Feature("article_last_days", Kind.INT64S, "When each was bought last, days since 1970-01-01."),
    ),
)  # fmt: skip

CUSTOMER_ACTIVITY_30D = View(
    "customer_activity_30d", "customer", "stream", WINDOW_DAYS, "Purchases of the last 30 calendar days.",
    (
        Feature("purchases", I, "Articles bought, repeats counted."),
        Feature("spend_micros", I, "Sum of prices, millionths of the currency unit."),
        Feature("distinct_articles", I, "Different articles bought."),
        Feature("active_days", I, "Days with at least one purchase."),
        Feature("mean_price_micros", F, "Mean price; missing without purchases."),
        Feature("online_share", F, "Share bought online; missing without purchases."),
        Feature("last_purchase_at", I, "Instant of the last purchase, microseconds since 1970-01-01."),
        Feature("articles", Kind.STRINGS, "The last 20 purchases' articles by time, newest first, repeats kept."),
        Feature("articles_at", Kind.INT64S, "Their instants, microseconds since 1970-01-01."),
    ),
)  # fmt: skip

ARTICLE_CATALOG = View(
    "article_catalog", "article", "batch", 0, "The catalogue's metadata.",
    tuple(
        Feature(name, S, description)
        for name, description in (
            ("product_code", "The product; an article is one colour of it."),
            ("prod_name", "Name of the product."),
            ("product_type_name", "Vest top, Trousers, ..."),
            ("product_group_name", "Garment Upper body, Shoes, ..."),
            ("graphical_appearance_name", "Solid, Stripe, ..."),
            ("colour_group_name", "Colour."),
            ("perceived_colour_value_name", "Dark, Light, Dusty Light, ..."),
            ("perceived_colour_master_name", "Colour, coarse."),
            ("department_name", "Department."),
            ("index_name", "Ladieswear, Divided, ..."),
            ("index_group_name", "Ladieswear, Menswear, Baby/Children, Sport, Divided."),
            ("section_name", "Section."),
            ("garment_group_name", "Garment group."),
            ("detail_desc", "Description; missing for some."),
        )
    ),
)  # fmt: skip

ARTICLE_SALES = View(
    "article_sales", "article", "batch", 0, "All sales before the day of the row.",
    (
        Feature("units", I, "Units sold."),
        Feature("distinct_customers", I, "Different buyers."),
        Feature("price_mean_micros", F, "Mean price, millionths of the currency unit."),
        Feature("price_std_micros", F, "Standard deviation of prices; missing before the second sale."),
        Feature("price_median_micros", F, "Median price."),
        Feature("first_sale_day", I, "Day of the first sale, days since 1970-01-01."),
        Feature("last_sale_day", I, "Day of the last sale, days since 1970-01-01."),
        Feature("mean_buyer_age", F, "Mean age of buyers whose age is known."),
        Feature("repeat_rate", F, "Share of units bought by customers who had bought the article on an earlier day."),
    ),
)  # fmt: skip

ARTICLE_ACTIVITY_30D = View(
    "article_activity_30d", "article", "stream", WINDOW_DAYS, "Sales of the last 30 calendar days.",
    (
        Feature("units", I, "Units sold."),
        Feature("distinct_customers", I, "Different buyers."),
        Feature("units_7d", I, "Units of the last 7 calendar days."),
        Feature("units_3d", I, "Units of the last 3 calendar days: yesterday, the day before and today so far."),
        Feature("trend", F, "Smoothed rates: ((units_7d + 1) / 7) / ((units + 30/7) / 30)."),
        Feature("mean_price_micros", F, "Mean price; missing without sales."),
        Feature("last_sale_at", I, "Instant of the last sale, microseconds since 1970-01-01."),
    ),
)  # fmt: skip

ARTICLE_IMAGE = View(
    "article_image", "article", "batch", 0, "Picture of the article.",
    (Feature("embedding", Kind.FLOAT32S, "Backbone features after PCA."),),
)  # fmt: skip

ARTICLE_AVAILABILITY = View(
    "article_availability", "article", "push", 0, "Stock.",
    (Feature("in_stock", B, "Can be sold now; articles without a row are in stock."),),
)  # fmt: skip

VIEWS: tuple[View, ...] = (
    CUSTOMER_PROFILE,
    CUSTOMER_HISTORY,
    CUSTOMER_ACTIVITY_30D,
    ARTICLE_CATALOG,
    ARTICLE_SALES,
    ARTICLE_ACTIVITY_30D,
    ARTICLE_IMAGE,
    ARTICLE_AVAILABILITY,
)
