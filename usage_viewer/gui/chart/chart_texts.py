"""Writes the texts of a chart in the user's locale: titles, states, read-outs and announcements."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import QLocale, QTime

from usage_viewer.app.chart import Chart
from usage_viewer.domain.figures import Number
from usage_viewer.domain.metrics import Statistic
from usage_viewer.domain.period import Granularity, Periods
from usage_viewer.domain.zones import zone_name
from usage_viewer.gui.chart.chart_layout import AxisTexts
from usage_viewer.gui.chart.chart_ticks import months_in, tick_sets
from usage_viewer.gui.chart.heat_layout import cell_number
from usage_viewer.gui.formatting.numbers import MISSING, NumberFormat
from usage_viewer.gui.formatting.periods import period_label
from usage_viewer.query.chart_buckets import BucketState
from usage_viewer.query.chart_series import ChartSeries, GroupKind
from usage_viewer.query.heat_map import DAYS, HOURS

NOT_LOADED, LOADING, FAILED = "Not loaded", "Loading…", "Failed to load"

_STATES = {
    BucketState.MAY_CHANGE: "May still change",
    BucketState.IN_PROGRESS: "In progress",
    BucketState.PARTLY_LOADED: "Partly loaded",
    BucketState.FUTURE: "Still to come",
}


@dataclass(frozen=True, slots=True)
class ReadoutLine:
    """Holds a line of the read-out: a name with its figure; `series` is the series that it is about."""

    label: str
    number: str = ""
    series: int | None = None


class ChartTexts:
    """Writes the texts of one chart.

    `missing` says why buckets are not loaded: `NOT_LOADED`, `LOADING` or `FAILED`.
    """

    def __init__(self, chart: Chart, locale: QLocale, missing: str = NOT_LOADED) -> None:
        self.chart, self.locale, self._missing = chart, locale, missing
        self._full, self._short = NumberFormat(locale), NumberFormat(locale, abbreviated=True)
        view = chart.result.effective_view
        lacking = chart.result.lacking
        self._filter_lacks = any(item.dimension in lacking for item in view.filters)
        self._lacking = ", ".join(view.dataset.dimension(name).label for name in chart.result.lacking)

    @property
    def figure(self) -> str:
        """Returns the figure with its unit, like `Amount (USD)`."""
        content = self.chart.series or self.chart.heat_map
        figure = self.chart.figure
        return f"{figure.label} ({content.measure})" if content is not None and content.measure else figure.heading

    @property
    def subtitle(self) -> str:
        """Returns what one bar or cell is, and in which zone: `tokens per day, UTC`."""
        periods = self._periods
        zone = zone_name(periods.zone, periods.span.start)
        if self.chart.heat_map is not None:
            measure = self.chart.heat_map.measure or self.chart.figure.unit
            return f"{measure} average per hour, by weekday and hour, {zone}".lstrip()
        if self.chart.series is None:
            return zone
        per = self.chart.series.buckets.periods.per.value
        return f"{self.chart.series.measure or self.chart.figure.unit} per {per}, {zone}".lstrip()

    @property
    def notes(self) -> list[str]:
        """Returns sentences about what is drawn differently from the table."""
        notes, series = list(self.chart.notes), self.chart.series
        if self.chart.heat_map is not None:
            notes.append("Hours that have not ended or are not loaded are left out.")
        if series is not None and not series.is_stacked and not series.problem:
            notes.append(f"{self.chart.figure.label} does not add up over groups: the line is that of the total.")
        if self.chart.summed is not None:
            notes.append(self._summed_note(self.chart.summed))
        return notes

    def _summed_note(self, per: Granularity) -> str:
        table_per, figure = self.chart.result.effective_view.per, self.chart.figure
        if figure.statistic is Statistic.PEAK:
            verb = "Peaks"
        elif figure.statistic is not None or not figure.sums_over_time:
            verb = "Shown"
        else:
            verb = "Summed"
        adverb = "of" if verb == "Peaks" else "by" if verb == "Shown" else "to"
        return f"{verb} {adverb} {per.value}s: this range has too many {table_per.value}s for the width."

    @property
    def _periods(self) -> Periods:
        series = self.chart.series
        return series.buckets.periods if series is not None else self.chart.result.coverage.periods

    # Bars

    @property
    def series(self) -> ChartSeries:
        """Returns the series of a chart that has one."""
        assert self.chart.series is not None, "a heat map has no series"
        return self.chart.series

    def axis(self, week_start: int) -> AxisTexts:
        """Return the texts of the axes; `week_start` 0 is Monday."""
        periods = self._periods
        return AxisTexts(self.short, tick_sets(periods, self.locale, week_start), months_in(periods))

    def short(self, value: Number) -> str:
        """Return a number with three digits."""
        return self._short.text(value, self.chart.figure.kind, self.chart.figure.unit)

    def full(self, value: Number | None) -> str:
        """Return a number with all its digits."""
        return self._full.text(value, self.chart.figure.kind, self.chart.figure.unit)

    def bucket(self, bucket: int) -> str:
        """Return the label of a bucket."""
        return period_label(self._periods, bucket, self.locale)

    def state(self, state: BucketState, *, unavailable: bool = False) -> str:
        """Return the name of a state; "" for a bucket that is final."""
        text = self._missing if state is BucketState.NOT_LOADED else _STATES.get(state, "")
        lacking = f"{self._lacking or 'Grouping'} not available" if unavailable else ""
        return ", ".join(part for part in (text, lacking) if part)

    def state_of(self, bucket: int) -> str:
        """Return the state of a bucket in words; "" for a bucket that is final."""
        buckets = self.series.buckets
        return self.state(BucketState(buckets.states[bucket]), unavailable=bool(buckets.unavailable[bucket]))

    def is_known(self, bucket: int) -> bool:
        """Return whether anything of a bucket is known: what is not loaded is not 0."""
        buckets = self.series.buckets
        if buckets.unavailable[bucket] and self._filter_lacks:
            return False  # which of its usage passes the filter is not known
        return buckets.states[bucket] not in (BucketState.NOT_LOADED, BucketState.FUTURE)

    def readout(self, bucket: int) -> list[ReadoutLine]:
        """Return the figures of a bucket: its label, its state, its series and their total."""
        series = self.series
        lines = [ReadoutLine(self.bucket(bucket))]
        if state := self.state_of(bucket):
            lines.append(ReadoutLine(state))
        if not self.is_known(bucket):
            return lines
        if series.is_stacked:
            lines += [
                ReadoutLine(group.label, self.full(numbers[bucket]), place)
                for place, (group, numbers) in enumerate(zip(series.groups, series.values, strict=True))
                if numbers[bucket] is not None and group.kind is not GroupKind.TOTAL
            ]
        total = series.totals[bucket]
        lines.append(ReadoutLine(self.figure, self._total(bucket) if total is None else self.full(total)))
        return lines

    def _total(self, bucket: int) -> str:
        """Return the text of a bucket without any number: nothing was used, or the figure was not reported."""
        return self.full(0) if self.series.is_stacked and self.chart.figure.sums_over_time else MISSING

    def say(self, bucket: int, group: int | None) -> str:
        """Return one sentence for a screen reader about a bucket or a part of it."""
        series, parts = self.series, [self.bucket(bucket)]
        if self.is_known(bucket):
            total = series.totals[bucket]
            text = self._total(bucket) if total is None else self.full(total)
            if group is not None and series.is_stacked and series.groups[group].kind is not GroupKind.TOTAL:
                place = self._list_place(group, len(series.groups))
                parts.append(f"{series.groups[group].label}: {self.full(series.values[group][bucket])}{place}")
                text = f"all {text}"
            parts.append(text)
        parts.append(self.state_of(bucket))
        return ", ".join(part for part in parts if part)

    def _list_place(self, place: int, count: int) -> str:
        return f", {self.locale.toString(place + 1)} of {self.locale.toString(count)}" if count > 1 else ""

    # The heat map

    def day_names(self) -> list[str]:
        """Return the short names of the weekdays, Monday first."""
        return [self.locale.standaloneDayName(day + 1, QLocale.FormatType.ShortFormat) for day in range(DAYS)]

    def hour_names(self) -> list[str]:
        """Return the texts of the hours of a day."""
        return [self.locale.toString(QTime(hour, 0), QLocale.FormatType.ShortFormat) for hour in range(HOURS)]

    def cell_lines(self, day: int, hour: int) -> list[ReadoutLine]:
        """Return the read-out of a cell: its place, the average, the sum and how much was counted."""
        heat = self.chart.heat_map
        assert heat is not None, "a chart of bars has no cells"
        name = self.locale.standaloneDayName(day + 1, QLocale.FormatType.LongFormat)
        lines = [ReadoutLine(f"{name} {self.hour_names()[hour]}")]
        average = cell_number(heat, day, hour, averaged=True)
        if average is None:
            return [*lines, ReadoutLine(self._missing if heat.lacking[day][hour] else "No such hour in this range")]
        hours = Decimal(heat.seconds[day][hour]) / 3600
        lines += [
            ReadoutLine(f"{self.figure}, average per hour", self.average(average)),
            ReadoutLine(f"Sum of {self._full.exact(hours)} hours", self.full(heat.sums[day][hour])),
        ]
        if heat.lacking[day][hour]:
            lines.append(ReadoutLine(f"{self.locale.toString(heat.lacking[day][hour])} more are not loaded"))
        return lines

    def average(self, value: Number) -> str:
        """Return an average, which is rounded to two decimals."""
        figure = self.chart.figure
        return self._full.rounded(value, figure.kind, figure.unit, decimals=2)

    def cell(self, value: Number) -> str:
        """Return an average in three digits, for a cell."""
        decimals = max(0, 2 - Decimal(value).adjusted())
        return self.short(round(Decimal(value), decimals)) if value else self.short(0)

    def say_cell(self, day: int, hour: int) -> str:
        """Return one sentence for a screen reader about a cell."""
        return ", ".join(
            f"{line.label}: {line.number}" if line.number else line.label for line in self.cell_lines(day, hour)
        )


def legend_labels(series: ChartSeries, states: Sequence[str]) -> list[str]:
    """Return the labels of the legend: the series, unless there is only the total, then the states."""
    single = len(series.groups) == 1 and series.groups[0].kind is GroupKind.TOTAL
    return [*(() if single else (group.label for group in series.groups)), *states]
