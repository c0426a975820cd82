"""Feast's local provider, that says so where Feast answers a question about the wrong time with nothing.

Purchases of 2020 are asked for by windows that end today: Feast loads no row, or joins none, and calls that a success.
"""

from __future__ import annotations

import functools
import logging
import operator
from datetime import UTC, datetime
from typing import Any, Final

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from feast import FeatureView, FileSource, PushSource
from feast.infra.offline_stores.offline_store import RetrievalJob
from feast.infra.passthrough_provider import PassthroughProvider
from feast.utils import make_tzaware

from feature_repo.table_dates import TableDates, table_dates
from infra.base.errors import UserError

PROVIDER: Final = "feature_repo.provider.VitrineProvider"

_INSTANT = pa.timestamp("us", "UTC")

log = logging.getLogger(__name__)


class MissingTableError(UserError, click.ClickException):
    """One line for ``vitrine`` and for ``feast`` alike."""


class VitrineProvider(PassthroughProvider):
    """``provider: local``, with a word on loads and joins that find nothing."""

    def materialize_single_feature_view(
        self, config: Any, feature_view: FeatureView, start_date: datetime, end_date: datetime, **kwargs: Any
    ) -> None:
        """Load as Feast does, then tell which rows that has left out for good.

        Raises:
            MissingTableError: the view's offline table has not been computed.
        """
        path = _local_path(feature_view)
        dates = table_dates(path, feature_view.batch_source.timestamp_field) if path else None
        if path and dates is None:
            raise MissingTableError(f"{path} is missing or broken; run `vitrine features --as-of DAY`, then load again")
        super().materialize_single_feature_view(config, feature_view, start_date, end_date, **kwargs)
        if path and dates is not None:
            complaint = _left_out(feature_view, path, dates, start_date, end_date)
            if complaint:
                log.warning("%s: %s", feature_view.name, complaint)

    def get_historical_features(
        self, config: Any, feature_views: list[FeatureView], *args: Any, **kwargs: Any
    ) -> RetrievalJob:
        """Join as Feast does, and tell which views have nothing at any of the instants asked for."""
        job = super().get_historical_features(config, feature_views, *args, **kwargs)
        asked = job.metadata
        if asked is None or asked.min_event_timestamp is None:
            return job
        first, last = make_tzaware(asked.min_event_timestamp), make_tzaware(asked.max_event_timestamp)
        for view in feature_views:
            path = _local_path(view)
            dates = table_dates(path, view.batch_source.timestamp_field) if path else None
            if dates is None or dates.empty:
                continue
            if last < dates.oldest or (view.ttl and first > dates.newest + view.ttl):
                lifetime = f" and count for {view.ttl.days} days" if view.ttl else ""
                log.warning(
                    "%s: no features from %s to %s, for its rows are of %s to %s%s; ask for instants within that",
                    *(view.name, _text(first), _text(last), _text(dates.oldest), _text(dates.newest), lifetime),
                )
        return job


def _local_path(view: FeatureView) -> str | None:
    source = getattr(view, "batch_source", None)  # an on-demand view has none
    return source.path if isinstance(source, FileSource) and "://" not in source.path else None


def _left_out(view: FeatureView, path: str, dates: TableDates, start: datetime, end: datetime) -> str | None:
    """What a load of ``start`` to ``end`` has left out though the user may think otherwise; None when all is well."""
    if dates.empty:
        pushed = isinstance(view.stream_source, PushSource)
        return None if pushed else f"nothing was loaded, for {path} holds no rows"
    way_out = (
        f"its rows are of {_text(dates.oldest)} to {_text(dates.newest)}; to load them all run `feast -c feature_repo "
        f"materialize {_text(dates.oldest)} {_text(dates.newest)} -v {view.name}`"
    )
    if start > end:
        return f"nothing was loaded, for what is of up to {_text(start)} has been before; {way_out}"
    table = ds.dataset(path)
    instant = pc.field(view.batch_source.timestamp_field).cast(_INSTANT)
    within = [
        (instant >= pa.scalar(first, _INSTANT)) & (instant <= pa.scalar(last, _INSTANT))
        for first, last in [(start, end), *view.materialization_intervals]
    ]
    if table.count_rows(filter=within[0]) == 0:
        return f"nothing was loaded, for no row is of {_text(start)} to {_text(end)}; {way_out}"
    earlier = instant < pa.scalar(start, _INSTANT)
    never = table.count_rows(filter=earlier & ~functools.reduce(operator.or_, within))
    return f"{never:,} rows of before {_text(start)} have never been loaded; {way_out}" if never else None


def _text(instant: datetime) -> str:
    """As Feast's commands take it; a day stands for its first instant."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat().removesuffix("T00:00:00")
