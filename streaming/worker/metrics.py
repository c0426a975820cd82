"""What the worker tells about itself, for Prometheus and for its own log line."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.metrics import MetricWrapperBase

from infra.base.listening import told_as_user_error

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5)


class Metrics:
    """Counters and gauges of one worker process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.events = Counter("vitrine_stream_events", "Events read, by topic.", ["topic"], registry=registry)
        self.counted = Counter("vitrine_stream_purchases_counted", "Purchases newly in a window.", registry=registry)
        self.late = Counter("vitrine_stream_late", "Purchases too late for their window; logged.", registry=registry)
        self.early = Counter("vitrine_stream_ahead", "Purchases held until the clock is there.", registry=registry)
        self.duplicates = Counter("vitrine_stream_duplicates", "Purchases that were sent twice.", registry=registry)
        self.fenced = Counter("vitrine_stream_fenced", "Updates applied before, left out.", ["view"], registry=registry)
        self.overtaken = Counter(
            "vitrine_stream_overtaken", "Writes done again, another writer was faster.", ["view"], registry=registry
        )
        self.dead_letters = Counter(
            "vitrine_stream_dead_letters", "Bad events, by topic.", ["topic"], registry=registry
        )
        self.expiries = Counter("vitrine_stream_expiries", "Windows that fell by the clock.", registry=registry)
        self.logged = Counter("vitrine_stream_logged", "Rows in the event log, by topic.", ["topic"], registry=registry)
        self.recoveries = Counter("vitrine_stream_recoveries", "Redis connections made anew.", registry=registry)
        self.lag = Gauge("vitrine_stream_lag", "Events not read yet, by partition.", ["partition"], registry=registry)
        self.watermark = Gauge("vitrine_stream_watermark_seconds", "The event clock, Unix time.", registry=registry)
        self.watermark_delay = Gauge(
            "vitrine_stream_watermark_delay_seconds", "Newest purchase minus event clock.", registry=registry
        )
        self.round = Histogram(
            "vitrine_stream_round_seconds", "From events read to all written.", registry=registry, buckets=_SECONDS
        )

    def lag_of(self, topic: str, partition: int) -> Gauge:
        """The lag of one partition."""
        return self.lag.labels(f"{topic}-{partition}")

    def forget_partition(self, topic: str, partition: int) -> None:
        """Another worker tells the lag of this partition from now on."""
        with suppress(KeyError):
            self.lag.remove(f"{topic}-{partition}")

    def figures(self) -> dict[str, int | float]:
        """The totals since the start, for `vitrine stream status`."""
        rounds = sum_of(self.round, "_count")
        return {
            "counted": int(sum_of(self.counted, "_total")),
            "late": int(sum_of(self.late, "_total")),
            "ahead": int(sum_of(self.early, "_total")),
            "duplicates": int(sum_of(self.duplicates, "_total")),
            "fenced": int(sum_of(self.fenced, "_total")),
            "overtaken": int(sum_of(self.overtaken, "_total")),
            "dead_letters": int(sum_of(self.dead_letters, "_total")),
            "expiries": int(sum_of(self.expiries, "_total")),
            "logged": int(sum_of(self.logged, "_total")),
            "recoveries": int(sum_of(self.recoveries, "_total")),
            "round_ms": 1000 * sum_of(self.round, "_sum") / rounds if rounds else 0.0,
        }

    def serve(self, port: int) -> None:
        """Answer Prometheus on this port of this machine.

        Raises:
            UserError: the port is taken.
        """
        with told_as_user_error("metrics cannot be told", "127.0.0.1", port, "--metrics-port"):
            start_http_server(port, addr="127.0.0.1", registry=self.registry)


def sum_of(metric: MetricWrapperBase, suffix: str) -> float:
    """The samples of a metric whose names end so, added up over its labels."""
    return sum(sample.value for family in metric.collect() for sample in family.samples if sample.name.endswith(suffix))
