"""What a caller asked, checked: proto messages in, frozen requests out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from feature_repo.events.rules import LONGEST_ID_BYTES
from serving.gateway.stages.pages import DEEPEST_ARTICLE, FIRST_PAGE, BadToken, EarlierPages
from serving.proto import recommender_pb2 as pb
from serving.ranking.filters.article_filter import ArticleFilter
from serving.ranking.filters.registry import FILTERS

DEFAULT_COUNT = 12
MOST_ARTICLES = 100
LONGEST_SURFACE = 64
LONGEST_REQUEST_ID = 128


class InvalidRequest(Exception):  # noqa: N818 - becomes the status INVALID_ARGUMENT
    """The request cannot be answered as it stands; the message says what to change."""


def checked_filters(filters: pb.Filters) -> tuple[ArticleFilter, ...]:
    """Check and freeze; what only a release can tell is checked later, against it.

    Raises:
        InvalidFilter: says what to change.
    """
    asked = (kind.asked(filters) for kind in FILTERS)
    return tuple(each for each in asked if each is not None)


@dataclass(frozen=True)
class Request:
    """One Recommend call."""

    customer_id: str
    count: int
    filters: tuple[ArticleFilter, ...]
    surface: str
    page: int  # counted from behind the earlier pages
    earlier: EarlierPages
    context_article_id: str
    request_id: str

    @property
    def first(self) -> int:
        """Place of the page's first article in the whole answer."""
        return len(self.earlier.article_ids) + self.page * self.count

    @property
    def end(self) -> int:
        """Place behind the page's last article."""
        return min(self.first + self.count, DEEPEST_ARTICLE)

    @classmethod
    def from_proto(cls, request: pb.RecommendRequest) -> Request:
        """Check a call and fill in what was left out.

        Raises:
            InvalidRequest, InvalidFilter: says what to change.
        """
        if not request.customer_id.strip():
            raise InvalidRequest("customer_id is empty; give the shopper's id, any text for a shopper without one")
        check_length("customer_id", request.customer_id, LONGEST_ID_BYTES)
        count = checked_count(request.count)
        if request.page < 0:
            raise InvalidRequest(f"page is {request.page}; pages begin at 0")
        if (request.page + 1) * count > DEEPEST_ARTICLE:
            raise InvalidRequest(
                f"page {request.page} of {count} articles ends at article {(request.page + 1) * count}; "
                f"pages reach as deep as {DEEPEST_ARTICLE}"
            )
        earlier = FIRST_PAGE
        if request.page_token:
            if request.page:
                raise InvalidRequest(f"page is {request.page} beside a page_token; give one of the two")
            try:
                earlier = EarlierPages.from_token(request.page_token, request.customer_id)
            except BadToken as error:
                raise InvalidRequest(str(error)) from None
        check_length("surface", request.surface, LONGEST_SURFACE)
        check_length("request_id", request.request_id, LONGEST_REQUEST_ID)
        return cls(
            customer_id=request.customer_id,
            count=count,
            filters=checked_filters(request.filters),
            surface=request.surface,
            page=request.page,
            earlier=earlier,
            context_article_id=request.context_article_id,
            request_id=request.request_id or uuid.uuid4().hex,
        )


def checked_count(count: int) -> int:
    """The number of articles asked for, or the default.

    Raises:
        InvalidRequest: not within 1 to 100.
    """
    if not 0 <= count <= MOST_ARTICLES:
        raise InvalidRequest(f"count is {count}; give 1 to {MOST_ARTICLES}, or 0 for {DEFAULT_COUNT}")
    return count or DEFAULT_COUNT


def check_length(name: str, text: str, most_bytes: int) -> None:
    """Refuse what no event could carry.

    Raises:
        InvalidRequest: the text is too long.
    """
    length = len(text.encode())
    if length > most_bytes:
        raise InvalidRequest(f"{name} has {length} bytes; give at most {most_bytes}")
