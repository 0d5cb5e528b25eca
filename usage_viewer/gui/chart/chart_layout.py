"""Computes where a chart draws its bars, axes and legend: numbers to pixels, without Qt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from itertools import groupby
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Kind
from usage_viewer.domain.figures import Number
from usage_viewer.gui.chart.chart_frame import Box, Frame, LegendEntry, Tick
from usage_viewer.query.chart_buckets import BucketState
from usage_viewer.query.chart_series import ChartSeries

PIXELS_PER_BUCKET = 3
"""A bucket needs three pixels: two of a bar that can be seen and clicked, and one of a gap."""
LEAST_POINT = 1
"""Pixels of the bar of a total that is not 0 but would be drawn as 0."""
MORE = -1
"""The index of the legend's last entry if it stands for several that have no room."""
LARGEST_FLOAT = Decimal("1e300")
"""Above this, heights are computed with exact quotients."""
_TICK_LINES = 2.0
"""Heights of a text line between two ticks, at least."""

Pixels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class StateRun:
    """Holds neighbouring buckets in one state, first and last included; `unavailable` as in `ChartBuckets`."""

    first: int
    last: int
    state: BucketState
    unavailable: bool


@dataclass(frozen=True)
class ChartLayout:
    """Holds the places of a chart with n buckets and g series, in pixels from the top left corner.

    Bucket i lies between `left[i]` and `right[i]` (n,); its series k between `top[k, i]` and `bottom[k, i]` (g, n),
    both equal where it has no number. `points` (n,) and `compared` (n,) are the heights of lines, NaN without a
    number. `zero` is the height of 0. `months` are the edges at which a month begins.
    """

    frame: Frame
    left: Pixels
    right: Pixels
    top: Pixels
    bottom: Pixels
    points: NDArray[np.float64]
    compared: NDArray[np.float64]
    zero: int
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    months: tuple[int, ...]
    runs: tuple[StateRun, ...]

    def bucket_at(self, x: float, *, clamp: bool = False) -> int | None:
        """Return the bucket at a place, gaps included; `clamp` returns the first or last one beside the plot."""
        plot, count = self.frame.plot, len(self.left)
        if not count:
            return None
        way = plot.right - x if self.frame.mirrored else x - plot.x
        bucket = int(way * count // max(plot.width, 1))
        if clamp:
            return min(max(bucket, 0), count - 1)
        return bucket if 0 <= bucket < count and 0 <= way <= plot.width else None

    def group_at(self, bucket: int, y: float) -> int | None:
        """Return the series drawn at a height of a bucket."""
        hits = np.flatnonzero((self.top[:, bucket] <= y) & (y < self.bottom[:, bucket]))
        return int(hits[0]) if len(hits) else None

    def bucket_box(self, first: int, last: int) -> Box:
        """Return the whole height of the plot over some buckets, both included."""
        low, high = sorted((first, last))
        ends = (int(self.left[low]), int(self.left[high]), int(self.right[low]), int(self.right[high]))
        plot = self.frame.plot
        return Box(min(ends), plot.y, max(ends) - min(ends), plot.height)


@dataclass(frozen=True, slots=True)
class AxisTexts:
    """Writes the texts of the axes.

    `number` writes a tick of the figure. `tick_sets` are buckets with their labels, the finest set first, of which
    the first that fits is used. `months` are the buckets that begin a month.
    """

    number: Callable[[Number], str]
    tick_sets: Sequence[Sequence[tuple[int, str]]]
    months: Sequence[int]


def most_buckets(width: float) -> int:
    """Return how many buckets a plot may have that is `width` pixels wide."""
    return max(1, int(width / PIXELS_PER_BUCKET))


def lay_out(series: ChartSeries, frame: Frame, texts: AxisTexts) -> ChartLayout:
    """Return the layout of bars or a line within `frame`."""
    count = len(series.totals)
    edges = _stack_edges(series)
    low, high = _extent(series, edges)
    step = tick_step(low, high, max(1, int(frame.plot.height / (frame.line_height * _TICK_LINES))))
    if series.figure.kind is Kind.COUNT:
        step = max(step, Decimal(1))
    frame = frame.with_axis([texts.number(tick) for tick in ticks(low, high, step)])
    scale = _Scale(low, high, step, frame.plot)
    left, right = _columns(frame.plot, count)
    top, bottom = _bars(series, edges, scale)
    layout = ChartLayout(
        frame,
        left,
        right,
        top,
        bottom,
        _line(series.totals if not series.is_stacked else (), scale, count),
        _line(series.compared, scale, count),
        round(scale.y(0)),
        tuple(Tick(round(scale.y(tick)), texts.number(tick)) for tick in ticks(low, high, step)),
        (),
        tuple(int(left[bucket]) for bucket in texts.months),
        _runs(series),
    )
    layout = replace(layout, x_ticks=_fitting_ticks(texts.tick_sets, layout))
    return _mirror(layout) if frame.mirrored else layout


class _Scale:
    """Maps exact numbers to heights in the plot."""

    def __init__(self, low: Number, high: Number, step: Decimal, plot: Box) -> None:
        with localcontext(prec=60):
            self._low = _round_to(low, step, ROUND_FLOOR)
            self._span = _round_to(high, step, ROUND_CEILING) - self._low or Decimal(1)
        self._plot = plot
        self._fits_float = self._span < LARGEST_FLOAT and abs(self._low) < LARGEST_FLOAT

    def y(self, value: Number) -> float:
        with localcontext(prec=60):
            share = float((_decimal(value) - self._low) / self._span)
        return self._plot.bottom - share * self._plot.height

    def heights(self, rows: Sequence[Sequence[Number]]) -> NDArray[np.float64]:
        """Return the height of each number; floats take a tenth of the time of exact quotients."""
        if not self._fits_float:
            return np.array([[self.y(number) for number in row] for row in rows], np.float64)
        values = np.array([list(map(float, row)) for row in rows], np.float64)
        return self._plot.bottom - (values - float(self._low)) / float(self._span) * self._plot.height


def tick_step(low: Number, high: Number, most: int) -> Decimal:
    """Return the smallest of 1, 2 or 5 times a power of 10 that divides the span into at most `most` steps."""
    with localcontext(prec=60):
        span = _decimal(high) - _decimal(low)
        if not span:
            return Decimal(1)
        least = span / most
        power = Decimal(1).scaleb(least.adjusted())
        return next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor >= least)


def ticks(low: Number, high: Number, step: Decimal) -> list[Number]:
    """Return the multiples of `step` from the one at or below `low` to the one at or above `high`."""
    with localcontext(prec=60):
        first, last = (
            int(_round_to(value, step, rounding) / step)
            for value, rounding in ((low, ROUND_FLOOR), (high, ROUND_CEILING))
        )
        return [_plain(step * number) for number in range(first, last + 1)]


def _plain(value: Decimal) -> Number:
    return int(value) if value == value.to_integral_value() else value


def _round_to(value: Number, step: Decimal, rounding: str) -> Decimal:
    return (_decimal(value) / step).to_integral_value(rounding) * step


def _decimal(value: Number) -> Decimal:
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


Edges = tuple[list[list[Number]], list[list[Number]]]
"""For each series the two ends of its part of each bucket: nearer to 0 and further from 0."""


def _stack_edges(series: ChartSeries) -> Edges:
    """Return the exact ends of the stacked parts: amounts above 0 and credits below."""
    above: list[Number] = [0] * len(series.totals)
    below: list[Number] = [0] * len(series.totals)
    near: list[list[Number]] = []
    far: list[list[Number]] = []
    with localcontext(prec=200):
        for numbers in series.values if series.is_stacked else ():
            near.append([])
            far.append([])
            for bucket, number in enumerate(numbers):
                side = below if number is not None and number < 0 else above
                near[-1].append(side[bucket])
                if number:
                    side[bucket] += number  # type: ignore[operator] # integers and decimals add up
                far[-1].append(side[bucket])
    return near, far


def _extent(series: ChartSeries, edges: Edges) -> tuple[Number, Number]:
    """Return the least and the largest number that is drawn, 0 included."""
    drawn = [*edges[1], series.compared, () if series.is_stacked else series.totals]
    numbers: list[Number] = [0, *(number for row in drawn for number in row if number is not None)]
    return min(numbers), max(numbers)


def _columns(plot: Box, count: int) -> tuple[Pixels, Pixels]:
    places = plot.x + np.rint(np.arange(count + 1) * (plot.width / max(count, 1)))
    pitch = plot.width / max(count, 1)
    gap = 0 if pitch < PIXELS_PER_BUCKET else 1 if pitch < 12 else max(2, int(pitch // 10))
    return places[:-1].astype(np.int64), np.maximum(places[1:] - gap, places[:-1] + 1).astype(np.int64)


def _bars(series: ChartSeries, edges: Edges, scale: _Scale) -> tuple[Pixels, Pixels]:
    shape = (len(edges[0]), len(series.totals))
    near, far = (np.rint(scale.heights(ends)).astype(np.int64).reshape(shape) for ends in edges)
    exact_zero = scale.y(0)
    zero, pixel = round(exact_zero), floor(exact_zero)
    for bucket in np.flatnonzero((far == zero).all(axis=0)).tolist():
        # A bar that is not 0 is one pixel high: nothing that was used looks unused.
        group = next((place for place, row in enumerate(series.values[: shape[0]]) if row[bucket]), None)
        if group is not None:
            number = series.values[group][bucket]
            above = number is not None and number > 0 and pixel == exact_zero
            near[group, bucket], far[group, bucket] = (pixel - above, pixel - above + LEAST_POINT)
    return np.minimum(near, far), np.maximum(near, far)


def _line(numbers: Sequence[Number | None], scale: _Scale, count: int) -> NDArray[np.float64]:
    if not numbers:
        return np.full(count, np.nan)
    return np.array([np.nan if number is None else scale.y(number) for number in numbers], np.float64)


def _fitting_ticks(sets: Sequence[Sequence[tuple[int, str]]], layout: ChartLayout) -> tuple[Tick, ...]:
    """Return the ticks of the first set whose labels do not touch each other, each cut at the plot's end."""
    frame = layout.frame
    for labels in sets:
        placed = [Tick(int(layout.left[bucket]), text) for bucket, text in labels]
        ends = [tick.at + frame.text_width(tick.text) + frame.line_height * 0.6 for tick in placed]
        if all(end <= after.at for end, after in zip(ends, placed[1:], strict=False)):
            return tuple(
                tick for tick, end in zip(placed, ends, strict=True) if end - frame.line_height * 0.6 <= frame.width
            )
    return ()


def _runs(series: ChartSeries) -> tuple[StateRun, ...]:
    """Return the runs of buckets that are not simply final or about to be."""
    buckets = series.buckets
    marks = list(zip(buckets.states.tolist(), buckets.unavailable.tolist(), strict=True))
    runs, first = [], 0
    for (state, unavailable), members in groupby(marks):
        last = first + len(list(members)) - 1
        if state > BucketState.MAY_CHANGE or unavailable:
            runs.append(StateRun(first, last, BucketState(state), unavailable))
        first = last + 1
    return tuple(runs)


def _mirror(layout: ChartLayout) -> ChartLayout:
    """Return the layout for a language that is written from right to left: time goes to the left."""
    width = int(layout.frame.width)
    return replace(
        layout,
        frame=layout.frame.mirror(),
        left=width - layout.right,
        right=width - layout.left,
        x_ticks=tuple(Tick(width - tick.at, tick.text) for tick in layout.x_ticks),
        months=tuple(width - edge for edge in layout.months),
    )


def legend_of(labels: Sequence[str], frame: Frame) -> Frame:
    """Return the frame with its legend: beside the plot if all entries fit there, else in rows above it."""
    if not labels:
        return frame
    swatch = frame.line_height * 1.5 + 6
    widest = max(map(frame.text_width, labels)) + swatch
    height, plot = frame.line_height * 1.15, frame.plot
    if len(labels) * height <= frame.height and frame.width >= frame.line_height * 40:
        width = min(widest, frame.width * 0.26)
        x = frame.width - width
        entries = [
            LegendEntry(place, text, Box(x, place * height, width, height)) for place, text in enumerate(labels)
        ]
        narrower = Box(plot.x, plot.y, x - frame.line_height - plot.x, plot.height)
        return replace(frame, legend=tuple(entries), plot=narrower)
    columns = max(1, min(len(labels), int(frame.width / min(widest + swatch / 2, max(frame.width / 3, 1)))))
    rows = min(ceil(len(labels) / columns), max(1, int(frame.height / (frame.line_height * 4))))
    if rows * columns < len(labels):  # the texts are cut, so that every entry has a place
        columns = min(ceil(len(labels) / rows), max(columns, int(frame.width / (frame.line_height * 4))))
    width = frame.width / columns
    entries = [
        LegendEntry(place, text, Box(place % columns * width, place // columns * height, width, height))
        for place, text in enumerate(labels[: rows * columns])
    ]
    if hidden := len(labels) - len(entries):  # the read-out has them
        entries[-1] = replace(entries[-1], index=MORE, text=f"+{hidden + 1}")
    below = plot.y + rows * height
    return replace(frame, legend=tuple(entries), plot=Box(plot.x, below, plot.width, plot.bottom - below))
