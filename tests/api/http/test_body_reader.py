import gzip
import random
from collections.abc import Callable

import pytest

from usage_viewer.api.http.body_reader import read_body
from usage_viewer.domain.errors import Cancelled
from usage_viewer.domain.network_errors import ConnectionFailed, NotJson, TooLarge

LIMIT = 1 << 20


def no_check(size: int) -> None:
    return None


def chunks_of(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_plain_and_gzip_bodies_in_chunks_of_any_size(size: int) -> None:
    body = random.Random(size).randbytes(5000) + b"x" * 20_000
    assert read_body(chunks_of(body, size), "", LIMIT, no_check) == body
    assert read_body(chunks_of(body, size), "identity", LIMIT, no_check) == body
    assert read_body(chunks_of(gzip.compress(body), size), "gzip", LIMIT, no_check) == body


def test_empty_bodies() -> None:
    assert read_body([], "", LIMIT, no_check) == b""
    assert read_body([], "gzip", LIMIT, no_check) == b""
    assert read_body([gzip.compress(b"")], "gzip", LIMIT, no_check) == b""


def test_limit_applies_to_the_unpacked_size() -> None:
    assert len(read_body([gzip.compress(b"0" * LIMIT)], "gzip", LIMIT, no_check)) == LIMIT
    with pytest.raises(TooLarge):
        read_body([gzip.compress(b"0" * (LIMIT + 1))], "gzip", LIMIT, no_check)
    with pytest.raises(TooLarge):
        read_body([b"0"] * (LIMIT + 1), "", LIMIT, no_check)


def test_gzip_bomb_is_unpacked_up_to_the_limit_only() -> None:
    checks: list[int] = []
    with pytest.raises(TooLarge):
        read_body([gzip.compress(b"0" * (64 << 20))], "gzip", 2 << 20, checks.append)
    assert checks == [1 << 20, 2 << 20]


def test_truncated_damaged_and_unknown_encodings_are_errors() -> None:
    packed = gzip.compress(random.Random(1).randbytes(1000))
    with pytest.raises(ConnectionFailed):
        read_body([packed[:-5]], "gzip", LIMIT, no_check)
    with pytest.raises(NotJson):
        read_body([packed[:50] + bytes(50) + packed[100:]], "gzip", LIMIT, no_check)
    with pytest.raises(NotJson):
        read_body([b"{}"], "br", LIMIT, no_check)


def test_check_can_end_the_read() -> None:
    def stop_at(count: int) -> Callable[[int], None]:
        def check(size: int) -> None:
            if size == count:
                raise Cancelled

        return check

    with pytest.raises(Cancelled):
        read_body([b"x"] * 10, "", LIMIT, stop_at(5))
    assert read_body([b"x"] * 4, "", LIMIT, stop_at(5)) == b"xxxx"
