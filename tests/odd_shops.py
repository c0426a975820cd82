"""Little shops unlike the one that everybody has in mind, as purchase files: nobody typical, hardly anything sold."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from feature_repo.files.file_layouts import ARTICLES, CUSTOMERS

FIRST = date(2020, 8, 24)
Purchase = tuple[int, int, int]
"""Day from FIRST, customer, article."""


@dataclass(frozen=True)
class OddShop:
    """What is in its files."""

    articles: int
    purchases: Sequence[Purchase]
    profiles: int = 3  # customers of whom the shop knows more than an id
    free: int = 0  # the first so many articles cost nothing
    of_one_kind: bool = False  # all articles are colours of one product

    def write(self, folder: Path) -> Path:
        """Write the three files of Kaggle's layout, without pictures."""
        folder.mkdir(parents=True)
        articles = [
            dict.fromkeys(ARTICLES.columns, "1") | {"article_id": article_id(number)} | self._kind(number)
            for number in range(self.articles)
        ]
        customers = [
            {"customer_id": customer_id(number), "age": str(20 + number), "club_member_status": "ACTIVE"}
            for number in range(self.profiles)
        ]
        purchases = [
            {
                "t_dat": (FIRST + timedelta(days=day)).isoformat(),
                "customer_id": customer_id(customer),
                "article_id": article_id(article),
                "price": "0" if article < self.free else "0.02",
                "sales_channel_id": "2",
            }
            for day, customer, article in self.purchases
        ]
        _write(folder / "articles.csv", ARTICLES.columns, articles)
        _write(folder / "customers.csv", CUSTOMERS.columns, customers)
        _write(folder / "transactions_train.csv", tuple(purchases[0]), purchases)
        return folder

    def _kind(self, number: int) -> dict[str, str]:
        product, department = (0, 0) if self.of_one_kind else (number // 2, number % 3)
        return {
            "product_code": f"{product:07d}",
            "prod_name": f"shirt {product}",
            "department_name": f"department {department}",
            "product_type_name": ("Shirt", "Dress")[0 if self.of_one_kind else number % 2],
        }


def article_id(number: int) -> str:
    return f"{100_000_000 + number:010d}"


def customer_id(number: int) -> str:
    return f"{number:064x}"


def _some(days: int, customers: int, articles: int, each: int = 1) -> list[Purchase]:
    """Every customer buys on every day, here and there in the catalogue."""
    return [
        (day, customer, (7 * day + 3 * customer + 5 * piece) % articles)
        for day in range(days)
        for customer in range(customers)
        for piece in range(each)
    ]


ODD_SHOPS: Mapping[str, OddShop] = {
    "few or very many purchases each": OddShop(
        5,
        [
            *((day, customer, (day + customer) % 5) for customer in range(12) for day in range(customer % 3, 8, 4)),
            *((day, 99, article) for day in range(8) for article in range(5)),
        ],
    ),
    "one customer": OddShop(30, _some(8, 1, 30, each=2)),
    "everybody comes once": OddShop(12, [(day, 10 * day + buyer, buyer) for day in range(7) for buyer in (1, 2)]),
    "nobody ever buys anything new": OddShop(6, [(day, who, who) for day in range(6) for who in range(4)]),
    "one article": OddShop(1, _some(6, 3, 1)),
    "one customer, one article": OddShop(1, _some(6, 1, 1)),
    "colours of one product": OddShop(8, _some(6, 6, 8), of_one_kind=True),
    "every article sold lately": OddShop(4, _some(8, 4, 4)),
    "two days": OddShop(30, _some(2, 6, 30, each=3)),
    "a big day, then hardly any purchases": OddShop(30, [*_some(1, 20, 30, each=4), (1, 0, 1), (2, 1, 2)]),
    "a long pause": OddShop(30, [*_some(4, 6, 30), *((day + 200, who, what) for day, who, what in _some(2, 2, 30))]),
    "nobody has a profile": OddShop(30, _some(6, 6, 30), profiles=0),
    "all is free": OddShop(30, _some(6, 6, 30), free=30),
    "some are free": OddShop(30, _some(6, 6, 30), free=10),
    "one day": OddShop(30, _some(1, 6, 30, each=5)),
    "one purchase": OddShop(30, [(0, 0, 0)]),
}
"""By what is odd about them. The last two hold too little to learn from."""


def _write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
