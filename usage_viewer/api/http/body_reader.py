"""Reads the body of a response in chunks, with a size limit that also holds for compressed bodies."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from mmap import mmap

from usage_viewer.api.http.memory_budget import STEP
from usage_viewer.domain.network_errors import ConnectionFailed, NotJson, TooLarge

_MAX_UNPACKED_CHUNK = 1 << 20  # bytes: a compressed chunk can unpack to a thousand times its size
_GZIP_WINDOW_BITS = 31  # zlib: a window of 2^15 bytes (15), with gzip header and trailer (+ 16)


def read_body(chunks: Iterable[bytes], encoding: str, limit: int, check: Callable[[int], None]) -> bytes:
    """Read and unpack a whole body; `encoding` is its Content-Encoding ("", "identity" or "gzip").

    `check` is called with the size so far (bytes, unpacked) before each chunk is stored; what it raises ends the
    read. Raises TooLarge for more than `limit` bytes, ConnectionFailed for compressed data that ends too early,
    NotJson for damaged compressed data or another encoding.
    """
    parts: list[bytes] = []
    size = 0
    # A large body is collected in memory pages of its own, which the system gets back at once. The heap of each
    # thread would keep them.
    with ExitStack() as resources:
        large_body: mmap | None = None
        for chunk in _unpack(chunks, encoding):
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"more than {limit:,} bytes")
            check(size)
            if large_body is None and size > STEP:
                large_body = resources.enter_context(mmap(-1, limit))
                large_body.write(b"".join(parts))
                parts.clear()
            if large_body is None:
                parts.append(chunk)
            else:
                large_body.write(chunk)
        return b"".join(parts) if large_body is None else large_body[:size]


def _unpack(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        return iter(chunks)
    if encoding in ("gzip", "x-gzip"):
        return _gunzip(chunks)
    raise NotJson("the response has an encoding that was not requested")


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP_WINDOW_BITS)
    begun = False
    try:
        for chunk in chunks:
            begun = begun or bool(chunk)
            rest = chunk
            while rest and not unpacker.eof:
                yield unpacker.decompress(rest, _MAX_UNPACKED_CHUNK)
                rest = unpacker.unconsumed_tail
    except zlib.error:
        raise NotJson("the compressed data is damaged") from None
    if begun and not unpacker.eof:
        raise ConnectionFailed("the response was cut off")
