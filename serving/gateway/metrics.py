"""What the gateway tells Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.016, 0.024, 0.032, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)

REQUEST_SECONDS = Histogram(
    "vitrine_recommend_seconds", "Recommend, from arrival to the answer's bytes", buckets=_SECONDS
)
STAGE_SECONDS = Histogram("vitrine_stage_seconds", "One stage of Recommend", ["stage"], buckets=_SECONDS)
DEGRADED = Counter("vitrine_degraded_total", "Answers that a stage did not contribute to", ["stage"])
REQUESTS = Counter("vitrine_requests_total", "Calls by method and gRPC status", ["method", "code"])
UNKNOWN_CUSTOMERS = Counter("vitrine_unknown_customers_total", "Answers to customers of whom nothing is known")
IMPRESSIONS_DROPPED = Counter("vitrine_impressions_dropped_total", "Impressions that did not reach Kafka")
EVENT_LOOP_LAG = Histogram(
    "vitrine_event_loop_lag_seconds", "How much later than asked the event loop wakes a sleeper", buckets=_SECONDS
)
GC_PAUSES = Histogram("vitrine_gc_pause_seconds", "Pauses of the garbage collector", ["generation"], buckets=_SECONDS)
INTERACTION_LOG_ERRORS = Counter("vitrine_interaction_log_errors_total", "Unexpected errors on the way to Kafka")
CIRCUIT_OPEN = Gauge("vitrine_circuit_open", "1 while calls go on without a stage that does not answer", ["stage"])
UNDER_WAY = Gauge("vitrine_recommend_under_way", "Recommend calls that have begun and are not answered yet")
RELEASE = Gauge("vitrine_release", "The release that answers")
RELEASE_FAILURES = Counter("vitrine_release_failures_total", "Releases that could not be loaded or warmed up")
