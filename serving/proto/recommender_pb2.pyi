import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecommendRequest(_message.Message):
    __slots__ = ("customer_id", "count", "filters", "surface", "page", "context_article_id", "request_id", "page_token")
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    SURFACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    customer_id: str
    count: int
    filters: Filters
    surface: str
    page: int
    context_article_id: str
    request_id: str
    page_token: str
    def __init__(self, customer_id: _Optional[str] = ..., count: _Optional[int] = ..., filters: _Optional[_Union[Filters, _Mapping]] = ..., surface: _Optional[str] = ..., page: _Optional[int] = ..., context_article_id: _Optional[str] = ..., request_id: _Optional[str] = ..., page_token: _Optional[str] = ...) -> None: ...

class Filters(_message.Message):
    __slots__ = ("include_articles", "exclude_articles", "index_groups", "min_price_micros", "max_price_micros", "in_stock_only")
    INCLUDE_ARTICLES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_ARTICLES_FIELD_NUMBER: _ClassVar[int]
    INDEX_GROUPS_FIELD_NUMBER: _ClassVar[int]
    MIN_PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    IN_STOCK_ONLY_FIELD_NUMBER: _ClassVar[int]
    include_articles: _containers.RepeatedScalarFieldContainer[str]
    exclude_articles: _containers.RepeatedScalarFieldContainer[str]
    index_groups: _containers.RepeatedScalarFieldContainer[str]
    min_price_micros: int
    max_price_micros: int
    in_stock_only: bool
    def __init__(self, include_articles: _Optional[_Iterable[str]] = ..., exclude_articles: _Optional[_Iterable[str]] = ..., index_groups: _Optional[_Iterable[str]] = ..., min_price_micros: _Optional[int] = ..., max_price_micros: _Optional[int] = ..., in_stock_only: _Optional[bool] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("articles", "release", "feature_time", "degraded", "request_id", "unknown_customer", "next_page_token")
    ARTICLES_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    FEATURE_TIME_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    articles: _containers.RepeatedCompositeFieldContainer[Recommendation]
    release: int
    feature_time: _timestamp_pb2.Timestamp
    degraded: _containers.RepeatedCompositeFieldContainer[DegradedStage]
    request_id: str
    unknown_customer: bool
    next_page_token: str
    def __init__(self, articles: _Optional[_Iterable[_Union[Recommendation, _Mapping]]] = ..., release: _Optional[int] = ..., feature_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., degraded: _Optional[_Iterable[_Union[DegradedStage, _Mapping]]] = ..., request_id: _Optional[str] = ..., unknown_customer: _Optional[bool] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Recommendation(_message.Message):
    __slots__ = ("article_id", "score", "source", "reason", "price_micros", "name")
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    article_id: str
    score: float
    source: str
    reason: str
    price_micros: int
    name: str
    def __init__(self, article_id: _Optional[str] = ..., score: _Optional[float] = ..., source: _Optional[str] = ..., reason: _Optional[str] = ..., price_micros: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class DegradedStage(_message.Message):
    __slots__ = ("stage", "reason")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    stage: str
    reason: str
    def __init__(self, stage: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SimilarArticlesRequest(_message.Message):
    __slots__ = ("article_id", "count", "filters")
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    article_id: str
    count: int
    filters: Filters
    def __init__(self, article_id: _Optional[str] = ..., count: _Optional[int] = ..., filters: _Optional[_Union[Filters, _Mapping]] = ...) -> None: ...

class SimilarArticlesResponse(_message.Message):
    __slots__ = ("articles", "release")
    ARTICLES_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    articles: _containers.RepeatedCompositeFieldContainer[Recommendation]
    release: int
    def __init__(self, articles: _Optional[_Iterable[_Union[Recommendation, _Mapping]]] = ..., release: _Optional[int] = ...) -> None: ...

class RecordInteractionsRequest(_message.Message):
    __slots__ = ("interactions",)
    INTERACTIONS_FIELD_NUMBER: _ClassVar[int]
    interactions: _containers.RepeatedCompositeFieldContainer[Interaction]
    def __init__(self, interactions: _Optional[_Iterable[_Union[Interaction, _Mapping]]] = ...) -> None: ...

class Interaction(_message.Message):
    __slots__ = ("event_id", "occurred_at", "customer_id", "kind", "article_id", "request_id", "release", "position")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Interaction.Kind]
        IMPRESSION: _ClassVar[Interaction.Kind]
        CLICK: _ClassVar[Interaction.Kind]
        CART: _ClassVar[Interaction.Kind]
    KIND_UNSPECIFIED: Interaction.Kind
    IMPRESSION: Interaction.Kind
    CLICK: Interaction.Kind
    CART: Interaction.Kind
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    occurred_at: _timestamp_pb2.Timestamp
    customer_id: str
    kind: Interaction.Kind
    article_id: str
    request_id: str
    release: int
    position: int
    def __init__(self, event_id: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., customer_id: _Optional[str] = ..., kind: _Optional[_Union[Interaction.Kind, str]] = ..., article_id: _Optional[str] = ..., request_id: _Optional[str] = ..., release: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class RecordInteractionsResponse(_message.Message):
    __slots__ = ("recorded",)
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    recorded: int
    def __init__(self, recorded: _Optional[int] = ...) -> None: ...
