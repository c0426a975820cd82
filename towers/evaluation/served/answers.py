"""The running gateway, asked for every test customer: is what is served what was evaluated?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc
import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from infra.base.progress import progress_bar
from serving.proto import recommender_pb2 as messages
from serving.proto.recommender_pb2_grpc import RecommenderStub
from serving.retrieval.articles import ArticleTable
from towers.evaluation.metrics import NO_ARTICLE

ROW = "served"
SURFACE = "evaluation"
"""Tells these impressions from those of shoppers."""
LIST_LENGTH = 100  # as many as one answer may hold
TOP = 12
_CALLS_AT_ONCE = 4
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class ServedLists:
    """What the gateway answered."""

    ranked: npt.NDArray[np.int32]  # [cases, LIST_LENGTH]
    degraded: int  # answers that lacked a part of the system


@dataclass(frozen=True)
class Agreement:
    """How equal served lists are to those of the evaluation."""

    same_top: float  # share of customers whose first TOP are the same articles in the same order
    same_top_set: float  # ... the same articles in any order
    same_list: float  # ... whose LIST_LENGTH are the same in the same order
    mean_overlap: float  # mean share of the first TOP that is in both

    def line(self) -> str:
        """For the terminal."""
        return (
            f"served against evaluated: the first {TOP} are the same for {self.same_top:.2%} of the customers "
            f"(in any order for {self.same_top_set:.2%}), all {LIST_LENGTH} for {self.same_list:.2%}; "
            f"{self.mean_overlap:.2%} of the first {TOP} articles are in both"
        )


def ask_gateway(address: str, customer_ids: Sequence[str], articles: ArticleTable, release: int) -> ServedLists:
    """Ask for every customer's recommendations.

    Args:
        address: of the gateway.
        articles: of the release, in whose positions lists are given.
        release: must be the one that answers.

    Raises:
        UserError: no gateway answers, or another release does.
    """
    degraded = 0
    ranked = np.full((len(customer_ids), LIST_LENGTH), NO_ARTICLE, np.int32)
    with grpc.insecure_channel(address) as channel, ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        stub = RecommenderStub(channel)  # type: ignore[no-untyped-call]

        def ask(customer_id: str) -> messages.RecommendResponse:
            request = messages.RecommendRequest(customer_id=customer_id, count=LIST_LENGTH, surface=SURFACE)
            answer: messages.RecommendResponse = stub.Recommend(request, timeout=_TIMEOUT_S, wait_for_ready=True)
            return answer

        with progress_bar(f"ask the gateway for {len(customer_ids):,} customers", len(customer_ids)) as advance:
            try:
                for case, answer in enumerate(pool.map(ask, customer_ids)):
                    if answer.release != release:
                        raise UserError(
                            f"the gateway at {address} answered from release {answer.release}, not {release}; stage "
                            f"and promote {release} with `vitrine rollout`, or evaluate {answer.release}"
                        )
                    positions = articles.positions([article.article_id for article in answer.articles])
                    ranked[case, : len(positions)] = positions
                    degraded += bool(answer.degraded)
                    advance(1)
            except grpc.RpcError as error:
                pool.shutdown(wait=False, cancel_futures=True)
                raise UserError(
                    f"the gateway at {address} says {error.code().name}: {error.details()}; "
                    "start one with `vitrine gateway` or `make up`, or set VITRINE_GATEWAY_ADDRESS"
                ) from None
    return ServedLists(ranked, degraded)


def compare(served: npt.NDArray[np.int32], evaluated: npt.NDArray[np.int32]) -> Agreement:
    """Compare lists [cases, at least LIST_LENGTH] of the same cases."""
    ours, theirs = served[:, :LIST_LENGTH], evaluated[:, :LIST_LENGTH]
    same_top = (ours[:, :TOP] == theirs[:, :TOP]).all(axis=1)
    shared = np.array([len(np.intersect1d(a, b)) for a, b in zip(ours[:, :TOP], theirs[:, :TOP], strict=True)])
    return Agreement(
        float(same_top.mean()),
        float((shared == TOP).mean()),
        float((ours == theirs).all(axis=1).mean()),
        float(shared.mean() / TOP),
    )
