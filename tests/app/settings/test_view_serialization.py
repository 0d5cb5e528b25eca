"""Every view is restored unchanged; a damaged one keeps its valid parts."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_viewer.app.settings.view_serialization import restored_view, serialized_view
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter, SortKey

TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1))
RANGES = st.builds(DateRange, st.sampled_from(Preset)) | st.builds(
    lambda start, length: DateRange(None, start, start + timedelta(minutes=length)), TIMES, st.integers(1, 10**6)
)
ZONES = st.sampled_from(["UTC", "local", "Europe/Berlin", "Asia/Kathmandu"])


@st.composite
def views(draw: st.DrawFn) -> ViewState:
    data = DATASETS[draw(st.sampled_from(sorted(DATASETS)))]
    dimensions = st.sampled_from([dimension.name for dimension in data.dimensions])
    filters = st.builds(Filter, dimensions, st.frozensets(st.none() | st.text(max_size=5)), st.booleans())
    figures = st.sampled_from([column.name for column in data.columns])
    view = ViewState(
        dataset_name=data.name,
        range=draw(RANGES),
        per=draw(st.sampled_from(Granularity)),
        grouping=tuple(draw(st.lists(dimensions, unique=True))),
        filters=tuple(draw(st.lists(filters, unique_by=lambda item: item.dimension))),
        search=draw(st.text(max_size=5)),
        columns=tuple(draw(st.lists(figures, unique=True))),
        zone=draw(ZONES),
    )
    by = draw(st.none() | st.just(PERIOD) | dimensions)
    if by is not None and (by != PERIOD or view.per is not Granularity.TOTAL):
        view = view.with_pivot(Pivot(by, draw(figures), draw(st.booleans())))
    keys = st.builds(SortKey, st.sampled_from(view.keys), st.booleans())
    if view.pivot is not None:
        keys |= st.builds(SortKey, st.just(ColumnKey(view.pivot.figure, others=True)), st.booleans())
    return view.with_order(draw(st.lists(keys, unique_by=lambda key: key.column)))


def stored(view: ViewState) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(serialized_view(view)))
    return read


@given(views())
def test_every_view_is_restored(view: ViewState) -> None:
    assert restored_view(stored(view)) == view


@pytest.mark.parametrize("content", [None, 5, "view", [], {}, {"unknown": 1}, {"dataset": "gone"}, {"grouping": 5}])
def test_invalid_content_gives_the_default_view(content: object) -> None:
    assert restored_view(content) == ViewState()


@given(
    views(),
    st.sampled_from(
        ["dataset", "range", "per", "zone", "search", "filters", "columns", "order", "grouping", "pivot"]
    ),
    st.none()
    | st.integers()
    | st.text(max_size=3)
    | st.lists(st.none() | st.text(max_size=3) | st.dictionaries(st.text(max_size=3), st.none(), max_size=1)),
)
def test_damaged_field_raises_no_error(view: ViewState, name: str, content: object) -> None:
    restored = restored_view(stored(view) | {name: content})
    assert restored.keys
    if name not in ("dataset", "range"):
        assert restored.dataset_name == view.dataset_name
        assert restored.range == view.range
    if name not in ("dataset", "grouping"):
        assert restored.grouping == view.grouping


def test_unknown_names_are_omitted() -> None:
    view = ViewState(
        grouping=("model", "batch"),
        filters=(Filter("batch", frozenset(["true"])),),
        columns=("input_tokens",),
        order=(SortKey("input_tokens", True),),
    )
    content = stored(view)
    content["grouping"].insert(0, "gone")
    content["filters"].append({"dimension": "gone", "values": ["a"], "exclude": False})
    content["filters"].append({"dimension": "batch", "values": ["false"], "exclude": False})
    content["columns"].append("gone")
    content["order"].append({"column": "gone", "descending": False})
    content["order"].append({"column": "input_tokens", "descending": False})
    assert restored_view(content) == view


@pytest.mark.parametrize(
    "content",
    [
        {"preset": None, "start": None, "end": None},
        {"preset": None, "start": "2026-11-03T00:00:00", "end": "2026-11-03T00:00:00"},
        {"preset": None, "start": "2026-11-03T00:00:00Z", "end": "2026-11-04T00:00:00Z"},
        {"preset": "last-7-fortnights"},
        {"preset": None, "start": "yesterday", "end": "today"},
        {"preset": None, "start": "0001-01-01T00:00:00", "end": "0001-01-02T00:00:00"},
        {"preset": None, "start": "9999-12-30T00:00:00", "end": "9999-12-31T23:59:00"},
        {"preset": None, "start": "0001-01-01T00:00:00", "end": "9999-12-31T00:00:00"},
    ],
)
def test_invalid_range_gives_the_default(content: object) -> None:
    assert restored_view({"range": content, "per": "day"}) == ViewState(per=Granularity.DAY)


def test_invalid_zone_gives_the_default() -> None:
    for zone in ("Nowhere/Land", "../../etc/passwd", "", "/etc/localtime"):
        assert restored_view({"zone": zone}).zone == "UTC"


def test_invalid_grouping_gives_the_default_of_the_dataset() -> None:
    view = ViewState(dataset_name="costs", grouping=())
    assert restored_view(stored(view)) == view
    assert restored_view({"dataset": "costs"}).grouping == ("line_item",)
    assert restored_view({"dataset": "costs", "grouping": ["gone"]}).grouping == ("line_item",)
