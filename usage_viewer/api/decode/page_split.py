"""Splits the text of a large page into its buckets with a plain byte search.

Decoding bucket by bucket holds the GIL for one bucket at a time, so the window can repaint in between.
"""

from collections.abc import Iterator
from itertools import pairwise

BUCKET_START = b'{"object":"bucket"'
"""The first bytes of a bucket. No JSON string contains them: inside a string each quote follows a backslash."""


def split_page(body: bytes) -> tuple[bytes, list[tuple[int, int]]] | None:
    """Split a page into a small page with its last bucket, and the places of all other buckets.

    Returns that small page, and for each other bucket its first byte and the byte after its end in `body`. Returns
    None for a page with fewer than two buckets, or with anything but a comma between two buckets.

    The caller must decode both parts to validate them: only the small page shows that the buckets are in `data`,
    and only decoding shows that each other bucket is a complete JSON value.
    """
    starts = list(_bucket_starts(body))
    if len(starts) < 2:
        return None
    spans: list[tuple[int, int]] = []
    for start, next_start in pairwise(starts):
        end = next_start - 1
        while end > start and body[end] in b" \t\r\n":
            end -= 1
        if body[end] != ord(","):
            return None
        spans.append((start, end))
    return body[: starts[0]] + body[starts[-1] :], spans


def _bucket_starts(body: bytes) -> Iterator[int]:
    position = body.find(BUCKET_START)
    while position >= 0:
        yield position
        position = body.find(BUCKET_START, position + 1)
