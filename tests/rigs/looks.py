"""Reads the figures of a view result as plain values, to compare them with an oracle."""

from datetime import UTC, date, datetime
from typing import Any

from usage_viewer.app.session.result import ViewResult
from usage_viewer.domain.table import GroupColumn, PeriodColumn


def moment(day: date) -> int:
    """Return the start of a UTC day (epoch seconds)."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def shown(look: ViewResult, name: str) -> dict[tuple[object, ...], Any]:
    """Return the figures of a column that are not missing, by period start (epoch seconds, if any) and groups."""
    heads: list[list[object]] = []
    for column in look.table.heads:
        if isinstance(column, PeriodColumn):
            heads.append(column.periods.bounds[:-1][column.index].tolist())
        else:
            assert isinstance(column, GroupColumn)
            heads.append([column.values[code] for code in column.codes.tolist()])
    keys: list[tuple[object, ...]] = list(zip(*heads, strict=True)) if heads else [()] * look.table.rows
    figures = next(column for column in look.table.figures if column.name == name).figures.listed()
    return {key: figure for key, figure in zip(keys, figures, strict=True) if figure is not None}
