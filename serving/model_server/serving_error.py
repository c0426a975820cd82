"""A refusal that goes to the caller as a gRPC status (``interceptor``), in TensorFlow Serving's words."""

from __future__ import annotations

import grpc

_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


class ServingError(Exception):
    """Status code and message of an answer."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The code as ``tensorflow.error.Code`` numbers it, which is gRPC's numbering."""
        number: int = self.code.value[0]
        return number

    @classmethod
    def from_number(cls, number: int, message: str) -> ServingError:
        """An error of TensorFlow's own, such as ``tf.errors.OpError`` with its ``error_code``."""
        return cls(_BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN), message)


def invalid_argument(message: str) -> ServingError:
    """The request cannot be right, whatever the server's state."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def failed_precondition(message: str) -> ServingError:
    """The server's state does not allow it."""
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)


def not_found(message: str) -> ServingError:
    """No such model or version."""
    return ServingError(grpc.StatusCode.NOT_FOUND, message)
