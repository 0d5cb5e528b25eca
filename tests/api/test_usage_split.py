from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.api.usage import SPLIT_NOTICE, fetch_in_smaller_windows
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.network_errors import NotJson, TooLarge
from usage_viewer.domain.period import BucketRun, BucketWidth

DAY = 86400


class Server:
    """Serves buckets of `sizes` bytes, `page` buckets a page; pages over `limit` bytes are too large."""

    def __init__(self, sizes: list[int], *, page: int = 10**6, limit: int = 100) -> None:
        self.sizes, self.page, self.limit = sizes, page, limit
        self.requested: list[tuple[int, int]] = []
        self.notices: list[str] = []
        self.too_large = 0

    def fetch(self, part: BucketRun) -> Iterator[Batch]:
        first, end = part.start // DAY, part.end // DAY
        self.requested.append((first, end))
        for begin in range(first, end, self.page):
            days = range(begin, min(begin + self.page, end))
            if sum(self.sizes[day] for day in days) > self.limit:
                self.too_large += 1
                raise TooLarge(str(days))
            starts = np.array([day * DAY for day in days], np.int64)
            empty = np.empty(0, np.int64)
            yield Batch("completions", BucketWidth.DAY, starts, (), [], empty, empty.astype(np.int32), {})

    def fetch_all(self) -> tuple[list[int], TooLarge | None]:
        """Return the numbers of the fetched days, and the error raised at the end."""
        fetched: list[int] = []
        try:
            for batch in fetch_in_smaller_windows(
                self.fetch, BucketRun(BucketWidth.DAY, 0, len(self.sizes) * DAY), self.notices.append
            ):
                fetched += (batch.starts // DAY).tolist()
        except TooLarge as error:
            return fetched, error
        return fetched, None


def test_small_window_is_fetched_once() -> None:
    server = Server([10] * 10)
    assert server.fetch_all() == ([*range(10)], None)
    assert server.requested == [(0, 10)]
    assert server.notices == []


def test_large_windows_are_halved_repeatedly() -> None:
    server = Server([60, 10, 10, 10, 60, 60])
    assert server.fetch_all() == ([*range(6)], None)
    assert server.requested == [(0, 6), (0, 3), (3, 6), (3, 5), (5, 6)]
    assert server.notices == [SPLIT_NOTICE, SPLIT_NOTICE]


def test_only_missing_buckets_are_fetched_again() -> None:
    server = Server([10, 10, 10, 80, 30, 10], page=3)
    assert server.fetch_all() == ([*range(6)], None)
    assert server.requested == [(0, 6), (3, 5), (3, 4), (4, 5), (5, 6)]


def test_single_too_large_bucket_is_left_out() -> None:
    sizes = [1] * 31
    sizes[7] = 101
    server = Server(sizes)
    fetched, error = server.fetch_all()
    assert fetched == [day for day in range(31) if day != 7]
    assert error is not None
    assert server.too_large == 6


def test_fetching_stops_if_every_response_is_too_large() -> None:
    server = Server([101] * 31)
    fetched, error = server.fetch_all()
    assert fetched == []
    assert error is not None
    assert len(server.requested) == 12


def test_window_of_one_bucket_is_fetched_once() -> None:
    server = Server([101])
    assert server.fetch_all()[1] is not None
    assert server.requested == [(0, 1)]


def test_other_errors_end_the_fetch() -> None:
    def fail(part: BucketRun) -> Iterator[Batch]:
        yield from ()
        raise TooLarge if part.buckets > 2 else NotJson

    with pytest.raises(NotJson):
        list(fetch_in_smaller_windows(fail, BucketRun(BucketWidth.DAY, 0, 4 * DAY), print))


@given(st.lists(st.integers(0, 130), min_size=1, max_size=60), st.integers(1, 60))
def test_all_buckets_that_fit_are_fetched_once_and_in_order(sizes: list[int], page: int) -> None:
    server = Server(sizes, page=page)
    fetched, error = server.fetch_all()
    assert fetched == sorted(set(fetched))
    assert all(sizes[day] <= 100 for day in fetched)
    if error is None:
        assert fetched == [*range(len(sizes))]
    allowed = 2 * (int(np.ceil(np.log2(len(sizes)))) + 1)
    assert server.too_large <= allowed
    if server.too_large < allowed:
        assert fetched == [day for day, size in enumerate(sizes) if size <= 100]
