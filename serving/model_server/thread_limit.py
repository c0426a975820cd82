"""At most so many calls at once: one more is refused at once instead of queueing behind the others.

That is what ``--grpc_max_threads`` does in TensorFlow Serving. gRPC's own ``maximum_concurrent_rpcs`` refuses with the
same status but another message, and counts streams such as a health watch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc

REFUSING_THREADS = 2  # besides those that work, so that there is always one free to say no


class ThreadLimit(grpc.ServerInterceptor):
    """Refuses calls beyond ``most`` with RESOURCE_EXHAUSTED."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)
        self._limited: dict[str, grpc.RpcMethodHandler] = {}

    def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        method = handler_call_details.method
        limited = self._limited.get(method)
        if limited is not None:
            return limited
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        limited = grpc.unary_unary_rpc_method_handler(
            self._limit(handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )
        self._limited[method] = limited
        return limited

    def _limit(self, behave: Callable[..., Any]) -> Callable[..., Any]:
        def limited(request: Any, context: grpc.ServicerContext) -> Any:
            if not self._free.acquire(blocking=False):
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
            try:
                return behave(request, context)
            finally:
                self._free.release()

        return limited
