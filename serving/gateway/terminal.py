"""``vitrine recommend``: one customer's recommendations as a table."""

from __future__ import annotations

import time

import grpc
from rich.console import Console
from rich.table import Table

from infra.errors import UserError
from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc


def show_recommendations(address: str, request: pb.RecommendRequest, timeout_s: float, console: Console) -> None:
    """Ask a running gateway and print its answer.

    Raises:
        UserError: the gateway does not answer, or refuses the request.
    """
    with grpc.insecure_channel(address) as channel:
        stub = recommender_pb2_grpc.RecommenderStub(channel)  # type: ignore[no-untyped-call]
        try:
            grpc.channel_ready_future(channel).result(timeout_s)
            started = time.perf_counter()
            answer = stub.Recommend(request, timeout=timeout_s)
        except grpc.FutureTimeoutError:
            raise UserError(
                f"no gateway answers at {address}; start one with `vitrine gateway` or `make up`, "
                "or set VITRINE_GATEWAY_ADDRESS"
            ) from None
        except grpc.RpcError as error:
            raise UserError(f"the gateway at {address} says {error.code().name}: {error.details()}") from None
    milliseconds = (time.perf_counter() - started) * 1e3
    table = Table("", "article", "name", "price", "score", "why", title=f"For customer {request.customer_id}")
    for place, article in enumerate(answer.articles, start=1):
        price = f"{article.price_micros / 1e6:.4f}" if article.price_micros else ""
        table.add_row(str(place), article.article_id, article.name, price, f"{article.score:.4f}", article.reason)
    console.print(table)
    known = "unknown customer, so what is trending" if answer.unknown_customer else "known customer"
    features = f", features as of {answer.feature_time.ToDatetime():%Y-%m-%d %H:%M:%S}" if answer.feature_time else ""
    console.print(f"release {answer.release}, {known}{features}, {milliseconds:.1f} ms")
    for stage in answer.degraded:
        console.print(f"[yellow]without {stage.stage}: {stage.reason}[/yellow]")
