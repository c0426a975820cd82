"""``vitrine recommend``: one customer's recommendations as a table."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import grpc
from rich.console import Console
from rich.table import Table

from infra.base.errors import UserError
from serving.gateway.server_timing import SERVER_TIMING, read_milliseconds
from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc

_NOBODY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def show_recommendations(address: str, request: pb.RecommendRequest, timeout_s: float, console: Console) -> None:
    """Ask a running gateway and print its answer.

    Raises:
        UserError: the gateway does not answer, or refuses the request.
    """
    # Nothing watches the channel's state: closing a watched channel takes up to 200 ms.
    with grpc.insecure_channel(address) as channel:
        stub = recommender_pb2_grpc.RecommenderStub(channel)  # type: ignore[no-untyped-call]
        started = time.perf_counter()
        try:
            answer, call = stub.Recommend.with_call(request, timeout=timeout_s)
        except grpc.RpcError as error:
            if error.code() in _NOBODY and _gateway_milliseconds(error.trailing_metadata()) is None:
                raise UserError(
                    f"no gateway answers at {address} within {timeout_s * 1e3:.0f} ms; start one with "
                    "`vitrine gateway` or `make up`, or set VITRINE_GATEWAY_ADDRESS"
                ) from None
            raise UserError(f"the gateway at {address} says {error.code().name}: {error.details()}") from None
        round_trip_ms = (time.perf_counter() - started) * 1e3
    table = Table("", "article", "name", "price", "score", "why", title=f"For customer {request.customer_id}")
    for place, article in enumerate(answer.articles, start=1):
        price = f"{article.price_micros / 1e6:.4f}" if article.price_micros else ""
        table.add_row(str(place), article.article_id, article.name, price, f"{article.score:.4f}", article.reason)
    console.print(table)
    known = _what_is_known(answer)
    features = f", features as of {answer.feature_time.ToDatetime():%Y-%m-%d %H:%M:%S}" if answer.feature_time else ""
    own_ms = _gateway_milliseconds(call.trailing_metadata())
    of_which = "" if own_ms is None else f"{own_ms:.1f} ms in the gateway, "
    console.print(f"release {answer.release}, {known}{features}, {of_which}{round_trip_ms:.1f} ms with connecting")
    for stage in answer.degraded:
        console.print(f"[yellow]without {stage.stage}: {stage.reason}[/yellow]")


def _what_is_known(answer: pb.RecommendResponse) -> str:
    if any(part.stage == "customer" for part in answer.degraded):
        return "customer not looked up, so what is trending"
    return "unknown customer, so what is trending" if answer.unknown_customer else "known customer"


def _gateway_milliseconds(metadata: Iterable[tuple[str, Any]] | None) -> float | None:
    """How long the gateway says that it took; None where no gateway has spoken."""
    return next((read_milliseconds(value) for key, value in metadata or () if key == SERVER_TIMING), None)
