"""Puts any JSON value anywhere into an answer: its rows are stored exactly, or a typed error is raised."""

import json
from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.rigs.json_places import changed, places
from tests.trust.known_usage import ANCHOR, DAY, SETTLED, Rows, first, shown_rows
from usage_viewer.api.decode.page import decode_page
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.coverage import HeldBuckets
from usage_viewer.domain.dataset import Dataset, Dimension, Kind, Metric
from usage_viewer.domain.figures import Number
from usage_viewer.domain.network_errors import AnswerError
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.store import Store
from usage_viewer.store.engine.schema import DECIMALS

DAYS: Final = 4
WINDOW: Final = BucketRun(BucketWidth.DAY, first(DAYS), ANCHOR)
EXACT: Final = Context(prec=100)

NUMBERS: Final = (
    -1,
    0,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    12.0,
    0.1,
    1e300,
    1e-30,
    "7",
    "1e5",
    "NaN",
    "-0.1",
)
TEXTS: Final = (
    "",
    " ",
    "none",
    "true",
    "gpt-6-astra",
    "a\x00b",
    "\u202e",
    "\ud800",
    "'; DROP TABLE held; --",
    "x" * 300,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*NUMBERS, *TEXTS, WINDOW.start, WINDOW.start + DAY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def fields(data: Dataset) -> tuple[Dimension | Metric, ...]:
    return (*data.dimensions, *data.metrics)


NAMES: Final = [item.name for data in API_DATASETS.values() for item in fields(data)]


def good_result(data: Dataset, number: int) -> dict[str, Any]:
    """Return a valid result with every field of the dataset."""
    result: dict[str, Any] = {"object": data.object}
    for item in fields(data):
        if isinstance(item, Dimension):
            value: object = number % 2 == 0 if item.boolean else f"{item.name}-{number}"
        else:
            value = f"{number}.25" if item.kind is Kind.DECIMAL else 1000 + number
        place = result
        for step in item.path[:-1]:
            place = place.setdefault(step, {})
        place[item.path[-1] if item.path else item.name] = value
    return result


def good_page(data: Dataset) -> dict[str, Any]:
    days = [[good_result(data, 0), good_result(data, 1)], [], [good_result(data, 2), good_result(data, 2)]]
    buckets = [
        {
            "object": "bucket",
            "start_time": WINDOW.start + number * DAY,
            "end_time": WINDOW.start + (number + 1) * DAY,
            "results": results,
        }
        for number, results in enumerate(days)
    ]
    return {"object": "page", "data": buckets, "has_more": False, "next_page": None}


@st.composite
def answers(draw: st.DrawFn, names: Sequence[str] = tuple(API_DATASETS)) -> tuple[Dataset, bytes]:
    """Draws an answer of one of the datasets with any values put anywhere.

    Most values replace a field of a result: these reach further than a value that spoils the page as a whole.
    """
    data = API_DATASETS[draw(st.sampled_from(names))]
    value: Any = good_page(data)
    for _ in range(draw(st.integers(1, 4))):
        every = [*places(value)]
        if draw(st.integers(0, 3)):
            every = [path for path in every if len(path) > 4] or every
        place = draw(st.sampled_from(every))
        if draw(st.integers(0, 5)) == 0 and isinstance(value, dict):
            new: object = {draw(st.sampled_from(NAMES) | st.text(max_size=5)): draw(JSON) for _ in range(2)}
        else:
            new = draw(JSON)
        value = changed(value, place, new)
    return data, json.dumps(value, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


def expected(batch: Batch, data: Dataset) -> dict[int, Rows]:
    """Return what the store must return: the sums of equal combinations in each bucket."""
    columns = [batch.metrics[metric.name].listed() for metric in data.metrics]
    buckets: dict[int, dict[tuple[object, ...], tuple[Number | None, ...]]] = {}
    for row, (bucket, at) in enumerate(zip(batch.bucket.tolist(), batch.combination.tolist(), strict=True)):
        rows = buckets.setdefault(bucket, {})
        given = tuple(_kept(column[row]) for column in columns)
        before = rows.get(batch.combinations[at])
        rows[batch.combinations[at]] = given if before is None else _sum(before, given)
    return dict(buckets)


def _kept(value: Number | None) -> Number | None:
    """Round decimals as the store does."""
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1).scaleb(-DECIMALS), ROUND_HALF_EVEN, EXACT)
    return value


def _sum(one: tuple[Number | None, ...], other: tuple[Number | None, ...]) -> tuple[Number | None, ...]:
    return tuple(
        b if a is None else a if b is None else EXACT.add(a, b) if isinstance(a, Decimal) else a + b  # type: ignore[operator, arg-type]
        for a, b in zip(one, other, strict=True)
    )


class Shelf:
    """Lends one store to up to 50 cases, as making one takes longest; each case replaces the data of the last."""

    def __init__(self) -> None:
        self._store: Store | None = None
        self._uses = 0

    def __enter__(self) -> tuple[Store, int]:
        """Return the store, and a fetch time that no earlier case had."""
        if self._store is None:
            self._store, self._uses = Store.open(None), 0
        self._uses += 1
        return self._store, SETTLED + self._uses

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        """Close the store after a failure, so that the case is tried again in a new one."""
        assert self._store is not None
        if self._uses >= 50 or (kind is not None and not issubclass(kind, AnswerError)):
            self._store.close()
            self._store = None


SHELF: Final = Shelf()


def check(data: Dataset, body: bytes) -> str:
    """Decode and store an answer; return "rows" or the name of the error."""
    try:
        batch = decode_page(body, data, WINDOW, data.group_by).batch
        with SHELF as (store, fetched_at):
            store.put(batch, fetched_at)
            shown = shown_rows(StoreSession(store, clock=lambda: fetched_at), data.name, BucketWidth.DAY, DAYS)
            stored = store.stored_buckets(data.name).get(BucketWidth.DAY, HeldBuckets.nothing())
            rows = expected(batch, data)
            assert {start: shown.get(start, {}) for start in batch.starts.tolist()} == {
                start: rows.get(start, {}) for start in batch.starts.tolist()
            }
            assert stored.starts[stored.fetched == fetched_at].tolist() == sorted(batch.starts.tolist())
    except AnswerError as error:
        words, name = (error.title, error.hint, error.detail), type(error).__name__
    else:
        words, name = ("", "", ""), "rows"
    assert all(words) == (name != "rows")
    assert len(words[2]) < 500
    return name


@pytest.mark.parametrize("name", API_DATASETS)
def test_valid_page_is_stored_exactly(name: str) -> None:
    data = API_DATASETS[name]
    body = json.dumps(good_page(data)).encode()
    batch = decode_page(body, data, WINDOW, data.group_by).batch
    assert Counter(batch.bucket.tolist()) == {WINDOW.start: 2, WINDOW.start + 2 * DAY: 2}
    assert check(data, body) == "rows"


SLOW: Final = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("name", API_DATASETS)
@settings(max_examples=170, deadline=None, suppress_health_check=SLOW, database=None, print_blob=True)
@given(st.data())
def test_any_value_in_a_page(name: str, data: st.DataObject) -> None:
    event(check(*data.draw(answers((name,)))))


@pytest.mark.fuzz
@settings(max_examples=20_000, deadline=None, suppress_health_check=SLOW, database=None, print_blob=True)
@given(answers())
def test_any_value_in_a_page_20000_times(answer: tuple[Dataset, bytes]) -> None:
    event(check(*answer))
