"""The customers of the story: who they are, what they bought, and what they might buy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Bought:
    """One line of a purchase history."""

    day: date
    article_id: str
    name: str
    detail: str  # colour and product type
    price_micros: int


def active_shoppers(tables_dir: Path, count: int, least: int = 4, most: int = 30) -> list[str]:
    """Customers with a handful of purchases, the latest active first; ties broken by a hash, so no alphabet shows.

    Args:
        least, most: bounds of the number of purchases.
    """
    query = """
        SELECT customer_id FROM read_parquet($purchases)
        GROUP BY customer_id HAVING count(*) BETWEEN $least AND $most
        ORDER BY max(day) DESC, md5(customer_id) LIMIT $count
    """
    parameters = {"purchases": str(tables_dir / "purchases.parquet"), "least": least, "most": most, "count": count}
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(query, parameters).fetchall()]


def history(tables_dir: Path, customer_id: str, count: int) -> list[Bought]:
    """The customer's last purchases, newest first."""
    query = """
        SELECT p.day, p.article_id, a.prod_name,
               a.colour_group_name || ' ' || lower(a.product_type_name), p.price_micros
        FROM read_parquet($purchases) p JOIN read_parquet($articles) a USING (article_id)
        WHERE p.customer_id = $customer ORDER BY p.occurred_at DESC, p.event_id DESC LIMIT $count
    """
    parameters = {
        "purchases": str(tables_dir / "purchases.parquet"),
        "articles": str(tables_dir / "articles.parquet"),
        "customer": customer_id,
        "count": count,
    }
    with duckdb.connect() as connection:
        return [Bought(*row) for row in connection.execute(query, parameters).fetchall()]


def last_day(tables_dir: Path) -> date:
    """The day of the newest purchase."""
    with duckdb.connect() as connection:
        path = str(tables_dir / "purchases.parquet")
        row = connection.execute("SELECT max(day) FROM read_parquet($1)", [path]).fetchone()
    assert row is not None
    newest: date = row[0]
    return newest
