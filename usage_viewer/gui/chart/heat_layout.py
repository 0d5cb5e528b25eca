"""Computes where a heat map draws its cells: 7 days by 24 hours, without Qt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from usage_viewer.domain.figures import Number
from usage_viewer.gui.chart.chart_frame import Box, Frame, Tick
from usage_viewer.query.heat_map import DAYS, HOURS, HeatMap


@dataclass(frozen=True)
class HeatLayout:
    """Holds the places of the cells; `days` lists the weekdays (0 is Monday) from top to bottom."""

    frame: Frame
    days: tuple[int, ...]
    day_ticks: tuple[Tick, ...]
    hour_ticks: tuple[Tick, ...]

    def cell_box(self, day: int, hour: int) -> Box:
        """Return the area of a cell."""
        plot = self.frame.plot
        row = self.days.index(day)
        left, right = (round(plot.x + plot.width * place / HOURS) for place in (hour, hour + 1))
        top, bottom = (round(plot.y + plot.height * place / DAYS) for place in (row, row + 1))
        box = Box(left, top, max(right - left - 1, 1), max(bottom - top - 1, 1))
        return box.mirrored(self.frame.width) if self.frame.mirrored else box

    def cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the weekday and the hour at a point."""
        plot = self.frame.plot
        x = self.frame.width - x if self.frame.mirrored else x
        if not plot.contains(x, y):
            return None
        return self.days[int((y - plot.y) * DAYS / plot.height)], int((x - plot.x) * HOURS / plot.width)


def lay_out_heat(frame: Frame, day_names: Sequence[str], hour_names: Sequence[str], first_day: int) -> HeatLayout:
    """Return the layout of a heat map; `day_names` begins with Monday, `first_day` is the topmost weekday."""
    days = tuple((first_day + place) % DAYS for place in range(DAYS))
    framed = replace(frame, mirrored=False).with_axis(list(day_names))
    plot = framed.plot
    widest = max(map(frame.text_width, hour_names)) + frame.line_height
    every = next((step for step in (1, 2, 3, 6, 12) if plot.width / HOURS * step >= widest), HOURS)
    hours = [Tick(round(plot.x + plot.width * hour / HOURS), hour_names[hour]) for hour in range(0, HOURS, every)]
    if frame.mirrored:
        hours = [Tick(round(frame.width) - tick.at, tick.text) for tick in hours]
    ticks = tuple(
        Tick(round(plot.y + plot.height * (row + 0.5) / DAYS), day_names[day]) for row, day in enumerate(days)
    )
    return HeatLayout(replace(framed, mirrored=frame.mirrored), days, ticks, tuple(hours))


def strength(heat: HeatMap, day: int, hour: int, *, averaged: bool) -> float | None:
    """Return the share of a cell's number in the largest magnitude, −1 to 1; None if nothing is known of it."""
    value, largest = cell_number(heat, day, hour, averaged=averaged), largest_magnitude(heat, averaged=averaged)
    if value is None:
        return None
    with localcontext(prec=60):
        return float(Decimal(value) / largest) if largest else 0.0


def cell_number(heat: HeatMap, day: int, hour: int, *, averaged: bool) -> Number | None:
    """Return the average for each hour, or the sum; None if no hour of the cell is loaded."""
    if averaged:
        return heat.average(day, hour)
    return heat.sums[day][hour] if heat.seconds[day][hour] else None


def largest_magnitude(heat: HeatMap, *, averaged: bool) -> Decimal:
    """Return the largest magnitude of all cells."""
    numbers = (cell_number(heat, day, hour, averaged=averaged) for day in range(DAYS) for hour in range(HOURS))
    return max((abs(Decimal(number)) for number in numbers if number is not None), default=Decimal(0))
