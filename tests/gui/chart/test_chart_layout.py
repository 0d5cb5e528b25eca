"""Tests that each bar is drawn within one pixel of its exact height, at its place."""

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.gui.chart.chart_frame import Frame
from usage_viewer.gui.chart.chart_layout import (
    MORE,
    AxisTexts,
    ChartLayout,
    lay_out,
    legend_of,
    most_buckets,
    tick_step,
    ticks,
)
from usage_viewer.query.chart_buckets import ChartBuckets
from usage_viewer.query.chart_series import ChartGroup, ChartSeries, GroupKind

LINE = 15.0
Numbers = Sequence[Sequence[Number | None]]


def series_of(values: Numbers, *, stacked: bool = True, compared: Sequence[Number | None] = ()) -> ChartSeries:
    count = len(values[0])
    bounds = np.arange(count + 1, dtype=np.int64) * 86400
    buckets = ChartBuckets(
        Periods(bounds, Granularity.DAY, UTC),
        np.zeros(count, np.int8),
        np.zeros(count, np.bool_),
        np.arange(count, dtype=np.int64),
    )
    columns: list[list[Any]] = [
        [row[bucket] for row in values if row[bucket] is not None] for bucket in range(count)
    ]
    totals = tuple(sum(column) if column else None for column in columns)
    figure = DATASETS["costs"].column("amount")
    groups = tuple(ChartGroup(f"g{place}", GroupKind.GROUP) for place in range(len(values)))
    return ChartSeries(
        figure, buckets, groups, tuple(map(tuple, values)), totals, is_stacked=stacked, compared=tuple(compared)
    )


def frame(width: float = 640, height: float = 240, *, mirrored: bool = False) -> Frame:
    return Frame.of(width, height, LINE, lambda text: 7.0 * len(text), mirrored=mirrored)


def texts(labels: Sequence[Sequence[tuple[int, str]]] = ()) -> AxisTexts:
    return AxisTexts(str, labels, ())


def exact(value: Number) -> Fraction:
    return Fraction(Decimal(repr(value)) if isinstance(value, float) else value)


def expected_height(value: Number, layout: ChartLayout) -> Fraction:
    """Return the exact y of a number, by the labels of the axis."""
    low, high = layout.y_ticks[0], layout.y_ticks[-1]
    plot = layout.frame.plot
    share = (exact(value) - exact(Decimal(low.text))) / (exact(Decimal(high.text)) - exact(Decimal(low.text)))
    return Fraction(plot.bottom) - share * Fraction(plot.height)


NUMBERS = (
    st.none()
    | st.integers(-1000, 10**6)
    | st.integers(-(10**30), 10**400)
    | st.decimals("-1e9", "1e12", allow_nan=False, allow_infinity=False, places=12)
)
VALUES = st.integers(1, 40).flatmap(
    lambda count: st.lists(st.lists(NUMBERS, min_size=count, max_size=count), min_size=1, max_size=9)
)


def check_bars(values: list[list[Number | None]], width: int, height: int, mirrored: bool) -> None:
    layout = lay_out(series_of(values), frame(width, height, mirrored=mirrored), texts())
    if len(layout.y_ticks) < 2:
        assert all(not number for row in values for number in row)
        return
    for bucket in range(len(values[0])):
        above = below = Fraction(0)
        for group, row in enumerate(values):
            number = row[bucket]
            if not number:
                assert layout.top[group, bucket] == layout.bottom[group, bucket]
                continue
            near = below if number < 0 else above
            far = near + exact(number)
            above, below = (above, far) if number < 0 else (far, below)
            ends = sorted((_y(near, layout), _y(far, layout)))
            assert abs(layout.top[group, bucket] - ends[0]) <= 1
            assert abs(layout.bottom[group, bucket] - ends[1]) <= 1


def _y(value: Fraction, layout: ChartLayout) -> Fraction:
    low, high = (exact(Decimal(layout.y_ticks[place].text)) for place in (0, -1))
    plot = layout.frame.plot
    return Fraction(plot.bottom) - (value - low) / (high - low) * Fraction(plot.height)


@settings(deadline=None, max_examples=80)
@given(VALUES, st.integers(120, 2000), st.integers(80, 900), st.booleans())
def test_every_bar_is_within_a_pixel_of_exact(
    values: list[list[Number | None]], width: int, height: int, mirrored: bool
) -> None:
    check_bars(values, width, height, mirrored)


@pytest.mark.fuzz
@settings(deadline=None, max_examples=5000)
@given(VALUES, st.integers(120, 2000), st.integers(80, 900), st.booleans())
def test_bars_of_thousands_of_charts_are_within_a_pixel_of_exact(
    values: list[list[Number | None]], width: int, height: int, mirrored: bool
) -> None:
    check_bars(values, width, height, mirrored)


@settings(deadline=None)
@given(st.integers(1, 700), st.integers(120, 2400), st.booleans())
def test_buckets_lie_side_by_side_and_are_found_again(count: int, width: int, mirrored: bool) -> None:
    layout = lay_out(series_of([[1] * count]), frame(width, mirrored=mirrored), texts())
    plot = layout.frame.plot
    for bucket in range(count):
        way = plot.width * bucket / count
        assert abs((plot.right - layout.right[bucket] if mirrored else layout.left[bucket] - plot.x) - way) <= 1.5
    if plot.width >= count:
        for bucket in range(0, count, 7):
            x = plot.x + plot.width * (bucket + 0.5) / count
            assert layout.bucket_at(plot.x + plot.right - x if mirrored else x) == bucket
    assert layout.bucket_at(plot.x - 5) is None
    assert layout.bucket_at(-10_000, clamp=True) == (count - 1 if mirrored else 0)


@given(st.integers(-(10**12), 0), st.integers(0, 10**12), st.integers(1, 12))
def test_ticks_are_round_include_zero_and_enclose_the_numbers(low: int, high: int, most: int) -> None:
    step = tick_step(low, high, most)
    placed = [Decimal(tick) for tick in ticks(low, high, step)]
    assert placed[0] <= low
    assert placed[-1] >= high
    assert 0 in placed
    assert len(placed) <= most + 3
    assert step.normalize().as_tuple().digits in ((1,), (2,), (5,))


def test_small_amount_is_never_drawn_as_zero() -> None:
    layout = lay_out(series_of([[10**9, 1, 0, None], [0, 0, 0, None]]), frame(), texts())
    heights = (layout.bottom - layout.top).sum(axis=0).tolist()
    assert heights[1:] == [1, 0, 0]


def test_credits_lie_below_zero() -> None:
    layout = lay_out(series_of([[5, -5], [5, 3]]), frame(), texts())
    assert (layout.bottom[:, 0] <= layout.zero).all()
    assert layout.top[0, 1] == layout.zero
    assert layout.bottom[1, 1] == layout.zero


def test_all_zero_has_one_tick_and_no_bar() -> None:
    layout = lay_out(series_of([[0, 0, 0]]), frame(), texts())
    assert [tick.text for tick in layout.y_ticks] == ["0"]
    assert (layout.top == layout.bottom).all()


def test_line_has_a_gap_where_there_is_no_number() -> None:
    layout = lay_out(series_of([[0.5, None, 0.25]], stacked=False), frame(), texts())
    assert np.isnan(layout.points).tolist() == [False, True, False]
    assert abs(layout.points[0] - float(expected_height(0.5, layout))) < 1
    assert len(layout.top) == 0


def test_compared_period_is_a_line_on_the_same_scale() -> None:
    layout = lay_out(series_of([[1, 2, 3]], compared=[40, None, 20]), frame(), texts())
    assert abs(layout.compared[0] - float(expected_height(40, layout))) < 1
    assert np.isnan(layout.compared[1])
    assert float(layout.y_ticks[-1].text) >= 40


@given(st.integers(1, 60), st.integers(120, 2000), st.booleans())
def test_labels_of_the_time_never_touch(count: int, width: int, mirrored: bool) -> None:
    sets = [[(place, f"day {place}") for place in range(0, count, step)] for step in (1, 2, 5, 10)]
    layout = lay_out(series_of([[1] * count]), frame(width, mirrored=mirrored), texts(sets))
    ends = sorted(
        (tick.at - 7 * len(tick.text), tick.at) if mirrored else (tick.at, tick.at + 7 * len(tick.text))
        for tick in layout.x_ticks
    )
    assert all(end < start for (_, end), (start, _) in pairwise(ends))
    assert all(start >= -1 and end <= width + 1 for start, end in ends)


@given(st.integers(1, 12), st.integers(200, 2000), st.integers(60, 600))
def test_legend_lies_beside_or_above_the_plot_and_names_every_series(count: int, width: int, height: int) -> None:
    labels = [f"model-{place}" * (1 + place % 3) for place in range(count)]
    placed = legend_of(labels, frame(width, height))
    plot, boxes = placed.plot, [entry.box for entry in placed.legend]
    named = [entry.text for entry in placed.legend if entry.index != MORE]
    assert named == labels[: len(named)]
    assert [entry.text for entry in placed.legend if entry.index == MORE] == (
        [f"+{count - len(named)}"] if len(named) < count else []
    )
    for box in boxes:
        assert box.right <= width + 0.01
        assert box.x >= plot.right or box.bottom <= plot.y + 0.01
        assert placed.legend_at(box.x + 1, box.y + 1) == placed.legend[boxes.index(box)].index


def test_a_bucket_has_three_pixels() -> None:
    assert most_buckets(1095) == 365
    assert most_buckets(1) == 1
