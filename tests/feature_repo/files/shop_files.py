"""A small folder of purchase files, good as it stands, that a test can spoil."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from feature_repo.files.file_layouts import ARTICLES
from feature_repo.files.purchase_files import IngestedFiles, ingest

ARTICLE_HEADER = ",".join(ARTICLES.columns)
CUSTOMER_HEADER = "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code"
TRANSACTION_HEADER = "t_dat,customer_id,article_id,price,sales_channel_id"

CUSTOMERS = ["c1,1,,ACTIVE,None,24.0,p1", "c2,,1,,NONE,,p2", "c3,0,1,LEFT CLUB,Regularly,80,"]
TRANSACTIONS = [
    "2020-09-20,c1,0000000011,0.0254067796610169,2",
    "2020-09-19,c1,0000000011,0.05,1",
    "2020-09-20,c1,0000000011,0.0254067796610169,2",
    "2020-09-20,stranger,0000000012,0,1",
]


def article(article_id: str, description: str = '"A ""soft"" top, ribbed.\nWashable."') -> str:
    """A row of ``articles.csv``."""
    return ",".join([article_id, *(f"value of {column}" for column in ARTICLES.columns[1:-1]), description])


ARTICLES_ROWS = [article("0000000012", ""), article("0000000011")]


class Shop:
    """A folder of purchase files that a test can spoil."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tables = folder / "data", folder / "tables"
        self.folder.mkdir()
        self.write("articles", ARTICLE_HEADER, *ARTICLES_ROWS)
        self.write("customers", CUSTOMER_HEADER, *CUSTOMERS)
        self.write("transactions_train", TRANSACTION_HEADER, *TRANSACTIONS)

    def write(self, name: str, *lines: str, encoding: str = "utf-8", end: str = "\n") -> None:
        (self.folder / f"{name}.csv").write_bytes((end.join(lines) + end).encode(encoding))

    def ingest(self, **options: object) -> IngestedFiles:
        return ingest(self.folder, self.tables, **options)  # type: ignore[arg-type]

    def table(self, name: str) -> list[dict]:
        return pq.read_table(self.tables / f"{name}.parquet").to_pylist()
