"""Up to when each view's rows have been loaded, as the registry tells it."""

from __future__ import annotations

from datetime import UTC, timedelta

from feast.protos.feast.core.DataSource_pb2 import DataSource
from feast.protos.feast.core.FeatureView_pb2 import FeatureViewMeta, MaterializationInterval
from feast.protos.feast.core.Registry_pb2 import Registry

from feature_repo.table_dates import BEFORE_ALL_ROWS, table_dates

_BETWEEN_ROWS = timedelta(days=1)  # the tables' rows are of days: an end not further past the newest misses none


def record_what_was_loaded(registry: Registry) -> None:
    """Say, in place, up to when rows were loaded, where Feast says up to when it was asked to load.

    An incremental load begins where the last one ended, and the first one a year or a ttl before the wall clock: with
    purchases of 2020 the first would load nothing, nor would any after it. So the first begins before all rows, and
    the next at the newest row that was there.
    """
    for view in [*registry.feature_views, *registry.stream_feature_views]:
        _correct(view.meta, view.spec.batch_source)


def _correct(meta: FeatureViewMeta, source: DataSource) -> None:
    dates = table_dates(source.file_options.uri, source.timestamp_field)
    intervals = [
        (interval.start_time.ToDatetime(UTC), interval.end_time.ToDatetime(UTC))
        for interval in meta.materialization_intervals
    ]
    if dates is not None:
        intervals = [
            (start, end if end <= dates.newest + _BETWEEN_ROWS else dates.newest)
            for start, end in intervals
            if not dates.empty
        ]
    loaded = [(start, end) for start, end in intervals if start < end]
    del meta.materialization_intervals[:]
    for start, end in [(BEFORE_ALL_ROWS, BEFORE_ALL_ROWS), *loaded]:
        interval = MaterializationInterval()
        interval.start_time.FromDatetime(start)
        interval.end_time.FromDatetime(end)
        meta.materialization_intervals.append(interval)
