import gzip
import random
from collections.abc import Callable

import pytest

from usage_viewer.api.http.body_reader import read_body
from usage_viewer.domain.errors import Cancelled, ConnectionFailed, NotJson, TooLarge

LIMIT = 1 << 20


def nothing(size: int) -> None:
    return None


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_plain_and_packed_bodies_in_any_pieces(size: int) -> None:
    body = random.Random(size).randbytes(5000) + b"x" * 20_000
    assert read_body(cut(body, size), "", LIMIT, nothing) == body
    assert read_body(cut(body, size), "identity", LIMIT, nothing) == body
    assert read_body(cut(gzip.compress(body), size), "gzip", LIMIT, nothing) == body


def test_empty_bodies() -> None:
    assert read_body([], "", LIMIT, nothing) == b""
    assert read_body([], "gzip", LIMIT, nothing) == b""
    assert read_body([gzip.compress(b"")], "gzip", LIMIT, nothing) == b""


def test_the_limit_is_of_the_unpacked_size() -> None:
    assert len(read_body([gzip.compress(b"0" * LIMIT)], "gzip", LIMIT, nothing)) == LIMIT
    with pytest.raises(TooLarge):
        read_body([gzip.compress(b"0" * (LIMIT + 1))], "gzip", LIMIT, nothing)
    with pytest.raises(TooLarge):
        read_body([b"0"] * (LIMIT + 1), "", LIMIT, nothing)


def test_a_bomb_is_unpacked_no_further_than_the_limit() -> None:
    checks: list[int] = []
    with pytest.raises(TooLarge):
        read_body([gzip.compress(b"0" * (64 << 20))], "gzip", 2 << 20, checks.append)
    assert checks == [1 << 20, 2 << 20]


def test_cut_off_and_damaged() -> None:
    packed = gzip.compress(random.Random(1).randbytes(1000))
    with pytest.raises(ConnectionFailed):
        read_body([packed[:-5]], "gzip", LIMIT, nothing)
    with pytest.raises(NotJson):
        read_body([packed[:50] + bytes(50) + packed[100:]], "gzip", LIMIT, nothing)
    with pytest.raises(NotJson):
        read_body([b"{}"], "br", LIMIT, nothing)


def test_the_check_ends_it() -> None:
    def stop_at(count: int) -> Callable[[int], None]:
        def check(size: int) -> None:
            if size == count:
                raise Cancelled

        return check

    with pytest.raises(Cancelled):
        read_body([b"x"] * 10, "", LIMIT, stop_at(5))
    assert read_body([b"x"] * 4, "", LIMIT, stop_at(5)) == b"xxxx"
