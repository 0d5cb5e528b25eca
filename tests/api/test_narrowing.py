from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.narrowing import NOTICE, fetch_narrowing
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.errors import NotJson, TooLarge
from usage_viewer.domain.period import BucketRun, BucketWidth

DAY = 86400


class Server:
    """Buckets of so many bytes, in pages of `page` buckets; an answer of more than `limit` is too large."""

    def __init__(self, sizes: list[int], *, page: int = 10**6, limit: int = 100) -> None:
        self.sizes, self.page, self.limit = sizes, page, limit
        self.asked: list[tuple[int, int]] = []
        self.notices: list[str] = []
        self.too_large = 0

    def fetch(self, part: BucketRun) -> Iterator[Batch]:
        first, end = part.start // DAY, part.end // DAY
        self.asked.append((first, end))
        for begin in range(first, end, self.page):
            days = range(begin, min(begin + self.page, end))
            if sum(self.sizes[day] for day in days) > self.limit:
                self.too_large += 1
                raise TooLarge(str(days))
            starts = np.array([day * DAY for day in days], np.int64)
            nothing = np.empty(0, np.int64)
            yield Batch("completions", BucketWidth.DAY, starts, (), [], nothing, nothing.astype(np.int32), {})

    def all(self) -> tuple[list[int], TooLarge | None]:
        """The days that came, and the error at the end."""
        came: list[int] = []
        try:
            for batch in fetch_narrowing(
                self.fetch, BucketRun(BucketWidth.DAY, 0, len(self.sizes) * DAY), self.notices.append
            ):
                came += (batch.starts // DAY).tolist()
        except TooLarge as error:
            return came, error
        return came, None


def test_what_is_not_too_large_is_asked_for_once() -> None:
    server = Server([10] * 10)
    assert server.all() == ([*range(10)], None)
    assert server.asked == [(0, 10)]
    assert server.notices == []


def test_halves_and_halves_of_these() -> None:
    server = Server([60, 10, 10, 10, 60, 60])
    assert server.all() == ([*range(6)], None)
    assert server.asked == [(0, 6), (0, 3), (3, 6), (3, 5), (5, 6)]
    assert server.notices == [NOTICE, NOTICE]


def test_only_what_had_not_come_is_asked_for_again() -> None:
    server = Server([10, 10, 10, 80, 30, 10], page=3)
    assert server.all() == ([*range(6)], None)
    assert server.asked == [(0, 6), (3, 5), (3, 4), (4, 5), (5, 6)]


def test_one_bucket_that_is_too_large_by_itself_costs_itself_alone() -> None:
    sizes = [1] * 31
    sizes[7] = 101
    server = Server(sizes)
    came, error = server.all()
    assert came == [day for day in range(31) if day != 7]
    assert error is not None
    assert server.too_large == 6


def test_who_makes_everything_too_large_is_soon_asked_no_more() -> None:
    server = Server([101] * 31)
    came, error = server.all()
    assert came == []
    assert error is not None
    assert len(server.asked) == 12


def test_a_single_bucket_is_asked_for_once() -> None:
    server = Server([101])
    assert server.all()[1] is not None
    assert server.asked == [(0, 1)]


def test_other_errors_end_it() -> None:
    def fail(part: BucketRun) -> Iterator[Batch]:
        yield from ()
        raise TooLarge if part.buckets > 2 else NotJson

    with pytest.raises(NotJson):
        list(fetch_narrowing(fail, BucketRun(BucketWidth.DAY, 0, 4 * DAY), print))


@given(st.lists(st.integers(0, 130), min_size=1, max_size=60), st.integers(1, 60))
def test_everything_that_fits_comes_in_order_and_nothing_twice(sizes: list[int], page: int) -> None:
    server = Server(sizes, page=page)
    came, error = server.all()
    assert came == sorted(set(came))
    assert all(sizes[day] <= 100 for day in came)
    if error is None:
        assert came == [*range(len(sizes))]
    allowed = 2 * (int(np.ceil(np.log2(len(sizes)))) + 1)
    assert server.too_large <= allowed
    if server.too_large < allowed:
        assert came == [day for day, size in enumerate(sizes) if size <= 100]
