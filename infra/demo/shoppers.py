"""The customers of the story: who they are, what they bought, and what they might buy."""

from __future__ import annotations

from collections.abc import Collection
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
    """Customers to show, one at least wherever anybody has bought anything.

    First those with a handful of purchases, the latest active first; a shop may have few such customers or none, so
    behind them all others, those with most purchases first. Ties are broken by a hash, so that no alphabet shows.

    Args:
        count: at most so many.
        least, most: bounds of a handful of purchases.
    """
    query = """
        SELECT customer_id
        FROM (SELECT customer_id, count(*) AS purchases, max(day) AS last_day,
                     purchases BETWEEN $least AND $most AS handful
              FROM read_parquet($purchases) GROUP BY customer_id)
        ORDER BY handful DESC, CASE WHEN handful THEN last_day END DESC NULLS LAST,
                 CASE WHEN NOT handful THEN purchases END DESC NULLS LAST, md5(customer_id)
        LIMIT $count
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


def colours(tables_dir: Path, article_ids: Collection[str]) -> dict[str, str]:
    """The colour groups of articles by id."""
    query = (
        "SELECT article_id, colour_group_name FROM read_parquet($articles) WHERE article_id IN (SELECT unnest($ids))"
    )
    parameters = {"articles": str(tables_dir / "articles.parquet"), "ids": list(article_ids)}
    with duckdb.connect() as connection:
        return dict(connection.execute(query, parameters).fetchall())


def last_day(tables_dir: Path) -> date:
    """The day of the newest purchase."""
    with duckdb.connect() as connection:
        path = str(tables_dir / "purchases.parquet")
        row = connection.execute("SELECT max(day) FROM read_parquet($1)", [path]).fetchone()
    assert row is not None
    newest: date = row[0]
    return newest
