"""Cuts a large page into its buckets with a plain search: the interpreter's lock is held for one at a time."""

from collections.abc import Iterator
from itertools import pairwise

BEGINNING = b'{"object":"bucket"'
"""No string can hold this: within one, each of these quotes would have a backslash before it."""


def cut(body: bytes) -> tuple[bytes, list[tuple[int, int]]] | None:
    """A page with the last bucket alone, and where in `body` the others lie; None where it has not this form.

    Only that page shows whether its buckets are in `data`; whether each of the others is a whole JSON value, and so
    `body` a page, shows when they are decoded.
    """
    starts = list(_found(body))
    if len(starts) < 2:
        return None
    spans: list[tuple[int, int]] = []
    for start, after in pairwise(starts):
        end = after - 1
        while end > start and body[end] in b" \t\r\n":
            end -= 1
        if body[end] != ord(","):
            return None
        spans.append((start, end))
    return body[: starts[0]] + body[starts[-1] :], spans


def _found(body: bytes) -> Iterator[int]:
    place = body.find(BEGINNING)
    while place >= 0:
        yield place
        place = body.find(BEGINNING, place + 1)
