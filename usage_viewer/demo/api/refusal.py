"""The error responses of the API."""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class RefusedGroupings:
    """The groupings that the server refuses with HTTP 400.

    `dimensions` are refused everywhere; costs also can't be grouped by both dimensions of one of `pairs`.
    """

    dimensions: frozenset[str] = frozenset()
    pairs: frozenset[frozenset[str]] = frozenset()

    @classmethod
    def of(cls, *dimensions: str, pairs: Iterable[Iterable[str]] = ()) -> "RefusedGroupings":
        """Return the record for these dimensions and pairs."""
        return cls(frozenset(dimensions), frozenset(frozenset(pair) for pair in pairs))


NOTHING_REFUSED = RefusedGroupings()


class Refusal(Exception):
    """An error response with an HTTP status and the body `{"error": {"message", "type", "param", "code"}}`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code}

    @property
    def body(self) -> bytes:
        """The body of the response, as JSON."""
        return json.dumps({"error": self.error}).encode()


def bad_parameter(param: str, message: str, code: str = "invalid_value") -> Refusal:
    """Return an HTTP 400 that names the invalid parameter."""
    return Refusal(400, message, param=param, code=code)
