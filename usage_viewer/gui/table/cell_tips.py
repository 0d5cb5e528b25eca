"""Defines `CellTips`, which writes the tooltips of cells."""

from dataclasses import dataclass
from decimal import Decimal

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.figures import Number
from usage_viewer.domain.period import Periods
from usage_viewer.domain.period_status import PeriodStatus
from usage_viewer.domain.table import FigureColumn, Table
from usage_viewer.gui.formatting.numbers import NumberFormat
from usage_viewer.gui.formatting.periods import period_bounds
from usage_viewer.gui.table.table_format import PeriodLabels
from usage_viewer.gui.table.value_bars import ValueBars


@dataclass(frozen=True, slots=True)
class CellTips:
    """Writes lines about a period or a figure; `abbreviated`: the cell itself shows a short number."""

    table: Table
    dataset: Dataset
    exact: NumberFormat
    periods: PeriodLabels
    bars: ValueBars | None
    abbreviated: bool

    def period(self, periods: Periods, index: int) -> list[str]:
        """Return the bounds of a period, and whether it is in progress or may still change."""
        lines = [period_bounds(periods, index)]
        status = self.periods.status(index)
        if status is PeriodStatus.IN_PROGRESS:
            lines.append("In progress: this period has not ended yet.")
        elif status is PeriodStatus.MAY_CHANGE:
            lines.append("Ended; may still change: usage can be reported up to 3 days after the end.")
        return lines

    def figure(self, column: ColumnKey, row: int) -> list[str]:
        """Return the exact number, its computation and its share of the total."""
        shown = self.table.figure(column)
        value = shown.figures.at(row)
        lines = ["Not given"] if value is None else []
        if value is not None and (self.abbreviated or self._is_cut(shown, value)):
            lines.append(f"{self.exact.text(value, shown.kind, shown.unit)} {shown.measure}".rstrip())
        lines += self._computation(shown, row) if column.change is None else self._change(column, row)
        if shown.origin is not None and value is not None:
            lines.append(f"Attribution: {shown.origin.text(row)}")
        if self.bars is not None and self.bars.key == column:
            share = self.bars.share_of_total(row)
            lines += [] if share is None else [f"{self.exact.share(share)} of the total"]
        return lines

    @staticmethod
    def _is_cut(column: FigureColumn, value: Number) -> bool:
        """Report whether the cell shows an amount with fewer digits than it has."""
        return column.shown is not None and Decimal(value) != round(Decimal(value), column.shown.decimals)

    def _change(self, column: ColumnKey, row: int) -> list[str]:
        """Return the two figures of a change."""
        parts = (ColumnKey(column.name), ColumnKey(column.name, compared=True))
        figures = [self.table.find_figure(part) for part in parts]
        return [
            f"{figure.label}: {self.exact.text(figure.figures.at(row), figure.kind, figure.unit)}"
            for figure in figures
            if figure is not None
        ]

    def _computation(self, column: FigureColumn, row: int) -> list[str]:
        """Return the formula of a derived figure and those of its parts that the table shows."""
        figure = self.dataset.column(column.name) if self.dataset.has_column(column.name) else None
        formula = "" if figure is None else figure.formula(self.dataset)
        if figure is None or not formula:
            return []
        parts = [self.table.find_figure(column.key.with_name(name)) for name in figure.needs()]
        return [
            f"{column.label} = {formula}",
            *(
                f"{part.label}: {self.exact.text(part.figures.at(row), part.kind, part.unit)}"
                for part in parts
                if part is not None
            ),
        ]
