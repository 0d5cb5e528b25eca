"""Faults that tests ask the stand-in server for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Asked(NamedTuple):
    """A request as it is logged: the path without the base URL's, each parameter's values (brackets taken off)."""

    path: str
    query: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as `faults` sees it. `number` counts from 0 over the life of the server."""

    number: int
    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]  # names in lower case


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one answer; what is not said goes right.

    `status`, `headers` and `body` replace those of the answer. `edit` gets the answer's JSON and returns another
    (to drop a row, bend a count, take a field away). `stall` waits so many seconds before anything is sent,
    `stall_body` between the headers and the body. `drop` closes the connection without an answer, `truncate`
    after so many bytes of the body, though the headers promise all of it.
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
