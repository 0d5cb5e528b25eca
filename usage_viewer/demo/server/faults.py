"""The faults that a test can ask the demo server for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class LoggedRequest(NamedTuple):
    """A request in the log: its path below the base URL, and the values of each parameter (without `[]`)."""

    path: str
    query: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, as passed to `faults`; `number` counts all requests to the server from 0."""

    number: int
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True, slots=True)
class Fault:
    """The changes to one response; fields with their default change nothing.

    `status`, `headers` and `body` replace those of the response. `edit` gets the JSON of the response and returns
    the JSON to send. `stall` is a wait in seconds before the response, `stall_body` one between headers and body.
    `drop` closes the connection without a response. `truncate` closes it after that many bytes of the body, while
    the Content-Length states the full size.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    edit: Callable[[Any], Any] | None = None
    stall: float = 0.0
    stall_body: float = 0.0
    drop: bool = False
    truncate: int | None = None


Faults = Callable[[Request], Fault | None]
"""Returns the fault of a request; None: the response is normal."""
