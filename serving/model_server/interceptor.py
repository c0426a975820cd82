"""What is done around every call: a refusal becomes its status, and one call too many is refused at once.

The limit is what ``--grpc_max_threads`` does in TensorFlow Serving. gRPC's own ``maximum_concurrent_rpcs`` refuses with
the same status but another message, and counts streams such as a health watch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc

from serving.model_server.serving_error import ServingError

REFUSING_THREADS = 2  # besides those that work, so that there is always one free to say no


class CallInterceptor(grpc.ServerInterceptor):
    """Turns ``ServingError`` into the call's status, and refuses calls beyond ``most`` with RESOURCE_EXHAUSTED."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    def intercept_service(
        self, continuation: Callable[..., Any], handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler | None:
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            if not self._free.acquire(blocking=False):
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
            try:
                return handler.unary_unary(request, context)
            except ServingError as error:
                context.abort(error.code, error.message)
            finally:
                self._free.release()

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)
