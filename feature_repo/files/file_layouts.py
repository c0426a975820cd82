"""What purchase files must look like, as plain data: columns, and for each column what makes a value good.

The conditions are DuckDB SQL over columns that are all text, NULL where the file holds nothing between two commas.
"""

from __future__ import annotations

from dataclasses import dataclass

ARTICLE_ID = "regexp_full_match({0}, '[0-9]{{10}}')"
CUSTOMER_ID = "regexp_full_match({0}, '[0-9A-Za-z_-]{{1,64}}')"
PRICE = "try_cast({0} AS DOUBLE) BETWEEN 0 AND 1e12"  # NaN is above every number
FLAG = "{0} IS NULL OR {0} IN ('0', '1', '0.0', '1.0')"
AGE = "{0} IS NULL OR try_cast({0} AS DOUBLE) BETWEEN 0 AND 130"

ZONED = r"length(t_dat) > 16 AND regexp_matches(t_dat, '(Z|[+-]\d\d(:?\d\d)?)$')"
"""Whether a purchase is dated by an instant with a time zone."""

_TIME = r"[ T]\d\d:\d\d(:\d\d(\.\d+)?)?"

# The day of a date, of a date with a time, or, in the session's time zone, of an instant with a time zone.
_DAY = rf"""CASE
    WHEN regexp_full_match(t_dat, '\d\d\d\d-\d\d-\d\d({_TIME})?') THEN CAST(try_cast(t_dat AS TIMESTAMP) AS DATE)
    WHEN regexp_full_match(t_dat, '\d\d\d\d-\d\d-\d\d{_TIME} ?(Z|[+-]\d\d(:?\d\d)?)')
    THEN CAST(try_cast(regexp_replace(t_dat, ' ?([+-]\d\d)(\d\d)$', '\1:\2') AS TIMESTAMPTZ) AS DATE) END"""


@dataclass(frozen=True)
class Rule:
    """``column`` must fulfil ``condition``, an SQL expression over ``{0}``; ``expected`` says it in words."""

    column: str
    condition: str
    expected: str


@dataclass(frozen=True)
class Layout:
    """One purchase file.

    Attributes:
        name: without suffix.
        key: a column without repeats.
        derived: names of further columns and their SQL.
    """

    name: str
    columns: tuple[str, ...]
    rules: tuple[Rule, ...]
    key: str | None = None
    derived: tuple[tuple[str, str], ...] = ()


_ARTICLE_COLUMNS = (
    "article_id", "product_code", "prod_name", "product_type_no", "product_type_name", "product_group_name",
    "graphical_appearance_no", "graphical_appearance_name", "colour_group_code", "colour_group_name",
    "perceived_colour_value_id", "perceived_colour_value_name", "perceived_colour_master_id",
    "perceived_colour_master_name", "department_no", "department_name", "index_code", "index_name", "index_group_no",
    "index_group_name", "section_no", "section_name", "garment_group_no", "garment_group_name", "detail_desc",
)  # fmt: skip

ARTICLES = Layout(
    "articles",
    _ARTICLE_COLUMNS,
    (
        Rule("article_id", ARTICLE_ID, "10 digits"),
        *(Rule(column, "{0} IS NOT NULL", "a value") for column in _ARTICLE_COLUMNS[1:] if column != "detail_desc"),
    ),
    key="article_id",
)

CUSTOMERS = Layout(
    "customers",
    ("customer_id", "FN", "Active", "club_member_status", "fashion_news_frequency", "age", "postal_code"),
    (
        Rule("customer_id", CUSTOMER_ID, "1 to 64 letters, digits, '-' or '_'"),
        Rule("FN", FLAG, "0, 1 or nothing"),
        Rule("Active", FLAG, "0, 1 or nothing"),
        Rule("age", AGE, "a number from 0 to 130 or nothing"),
    ),
    key="customer_id",
)

TRANSACTIONS = Layout(
    "transactions_train",
    ("t_dat", "customer_id", "article_id", "price", "sales_channel_id"),
    (
        Rule("t_dat", "day IS NOT NULL", "a date such as 2020-09-20"),
        Rule("customer_id", CUSTOMER_ID, "1 to 64 letters, digits, '-' or '_'"),
        Rule("article_id", ARTICLE_ID, "10 digits"),
        Rule("article_id", "{0} IN (SELECT article_id FROM good_articles)", "the id of a row of the articles file"),
        Rule("price", PRICE, "a number of at least 0"),
        Rule("sales_channel_id", "{0} IN ('1', '2')", "1 (store) or 2 (online)"),
    ),
    derived=(("day", _DAY),),
)
