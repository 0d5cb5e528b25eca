"""Reads an answer's body in pieces: bounded in size also when unpacked, and stopped at once when cancelled."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from mmap import mmap

from usage_viewer.api.http.memory_budget import SMALL
from usage_viewer.domain.errors import ConnectionFailed, NotJson, TooLarge

_PIECE = 1 << 20  # bytes unpacked at a time: a few bytes may unpack to a thousand times as many
_GZIP = 31  # zlib's number for a gzip header and trailer


def read_body(pieces: Iterable[bytes], encoding: str, limit: int, check: Callable[[int], None]) -> bytes:
    """All of `pieces`, unpacked. `check` is called with the size (bytes) before each is kept, and may raise.

    Raises TooLarge over `limit` bytes, ConnectionFailed where packed data ends too early, NotJson for an encoding
    that wasn't asked for or damaged data.
    """
    kept: list[bytes] = []
    size = 0
    # What is large is gathered in pages of its own, which the system has back at once: each thread's own heap would
    # keep them.
    with ExitStack() as gathered:
        large: mmap | None = None
        for piece in _unpacked(pieces, encoding):
            size += len(piece)
            if size > limit:
                raise TooLarge(f"more than {limit:,} bytes")
            check(size)
            if large is None and size > SMALL:
                large = gathered.enter_context(mmap(-1, limit))
                large.write(b"".join(kept))
                kept.clear()
            if large is None:
                kept.append(piece)
            else:
                large.write(piece)
        return b"".join(kept) if large is None else large[:size]


def _unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        return iter(pieces)
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(pieces)
    raise NotJson("it is packed in a way that was not asked for")


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for packed in pieces:
            begun = begun or bool(packed)
            rest = packed
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, _PIECE)
                rest = unpacker.unconsumed_tail
    except zlib.error:
        raise NotJson("its compression is damaged") from None
    if begun and not unpacker.eof:
        raise ConnectionFailed("the answer was cut off")
