"""Limits how often lists may be read, and answers chosen paths with an error."""

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Final

from usage_viewer.demo.api.refusal import Refusal

_MINUTE: Final = 60
_UNLIMITED: Final = ("usage", "costs")


class Limits:
    """Answers each kind of list `per_minute` times a minute (0: always), then 429 without any header.

    `errors` are the error responses of requests whose path ends with a text.
    """

    def __init__(self, per_minute: int = 0, errors: Mapping[str, Refusal] | None = None) -> None:
        self.per_minute, self.errors = per_minute, dict(errors or {})
        self._requests = Counter[tuple[str, int]]()
        self._lock = Lock()

    def check(self, path: str, now: int) -> None:
        """Count a request at `now` (epoch seconds). Raises Refusal."""
        for ending, refusal in self.errors.items():
            if path.endswith(ending):
                raise refusal
        parts = path.strip("/").split("/")
        if not self.per_minute or any(name in parts for name in _UNLIMITED):
            return
        with self._lock:
            self._requests[parts[-1], now // _MINUTE] += 1
            too_many = self._requests[parts[-1], now // _MINUTE] > self.per_minute
        if too_many:
            raise Refusal(429, "Rate limit reached for requests.", code="rate_limit_exceeded", kind="requests")


def parse_error(text: str) -> tuple[str, Refusal]:
    """Read `PATH=STATUS[:CODE[:MESSAGE]]`, such as `/costs=404` or `/completions=401:incorrect_hostname`.

    Raises ValueError.
    """
    path, _, answer = text.partition("=")
    status, _, rest = answer.partition(":")
    code, _, message = rest.partition(":")
    if not path or not status.isdigit() or not 400 <= int(status) <= 599:
        raise ValueError(f"{text} is not PATH=STATUS:CODE:MESSAGE")
    return path, Refusal(int(status), message or "The request failed.", code=code or None)
