"""Pages of one answer: a token tells the next page what the pages before it have shown.

The token holds everything itself, so any gateway continues what another began, no memory is kept for shoppers who never
come back, and nothing expires. A later page is ranked afresh, by what is known and sold then, and leaves out what was
shown before and what the customer has bought since the first page.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from serving.retrieval.customer import Customer

DEEPEST_ARTICLE = 500
"""Pages reach so deep."""

_FORMAT = "1."
_LONGEST_TOKEN = 262_144
_LONGEST_CONTENT = 524_288  # 500 ids of 200 bytes, each byte escaped


class BadToken(ValueError):  # noqa: N818 - becomes the status INVALID_ARGUMENT
    """The token cannot be continued; the message says what to change."""


@dataclass(frozen=True)
class EarlierPages:
    """What was shown of an answer, best first, and what had been bought when that began.

    ``purchases`` has a mark of each of the customer's last purchases; None where these could not be looked up.
    """

    article_ids: tuple[str, ...] = ()
    purchases: frozenset[str] | None = None

    def continued(self, article_ids: Iterable[str], customer: Customer | None) -> EarlierPages:
        """With one more page.

        Args:
            customer: None where they could not be looked up.
        """
        purchases = self.purchases
        if purchases is None and customer is not None:
            purchases = frozenset(mark for mark, _ in _last_purchases(customer))
        return EarlierPages((*self.article_ids, *article_ids), purchases)

    def bought_since(self, customer: Customer) -> list[str]:
        """Articles bought since the first page."""
        if self.purchases is None:
            return []
        return [article_id for mark, article_id in _last_purchases(customer) if mark not in self.purchases]

    def to_token(self, customer_id: str) -> str:
        """The token by which ``customer_id`` gets the next page."""
        purchases = None if self.purchases is None else sorted(self.purchases)
        content = json.dumps([_mark(customer_id), purchases, self.article_ids], separators=(",", ":"))
        return _FORMAT + base64.urlsafe_b64encode(zlib.compress(content.encode())).decode()

    @classmethod
    def from_token(cls, token: str, customer_id: str) -> EarlierPages:
        """Read a token of :meth:`to_token`.

        Raises:
            BadToken: it is damaged, or was given to another customer.
        """
        try:
            owner, purchases, article_ids = json.loads(_content(token))
            is_whole = (
                isinstance(owner, str)
                and (purchases is None or _are_texts(purchases))
                and _are_texts(article_ids)
                and len(article_ids) < DEEPEST_ARTICLE
            )
        except (ValueError, TypeError, RecursionError, zlib.error):
            is_whole = False
        if not is_whole:
            raise BadToken(
                f"page_token {_shown(token)} is none of a gateway's; give next_page_token of the page before as it "
                "came, or none for the first page"
            )
        if owner != _mark(customer_id):
            raise BadToken(
                f"page_token {_shown(token)} was given to another customer than {_shown(customer_id)}; give "
                "next_page_token of this customer's page before, or none for the first page"
            )
        return cls(tuple(article_ids), None if purchases is None else frozenset(purchases))


FIRST_PAGE = EarlierPages()


def _last_purchases(customer: Customer) -> list[tuple[str, str]]:
    """Marks of the customer's streamed purchases, with their articles; an article bought twice has two."""
    article_ids = customer.values.get("customer_activity_30d:articles") or ()
    instants = customer.values.get("customer_activity_30d:articles_at") or ()
    return [
        (_mark(f"{article_id} {at_us}"), article_id) for article_id, at_us in zip(article_ids, instants, strict=True)
    ]


def _mark(text: str) -> str:
    return blake2b(text.encode(), digest_size=5).hexdigest()


def _content(token: str) -> bytes:
    if len(token) > _LONGEST_TOKEN or not token.startswith(_FORMAT):
        raise ValueError
    packed = base64.b64decode(token.removeprefix(_FORMAT), altchars=b"-_", validate=True)
    reader = zlib.decompressobj()
    content = reader.decompress(packed, _LONGEST_CONTENT)
    if not reader.eof or reader.unused_data:
        raise ValueError
    return content


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
