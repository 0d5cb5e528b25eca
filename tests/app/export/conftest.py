"""Builds tables to export."""

from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from usage_viewer.domain.catalog import Dimension, Kind
from usage_viewer.domain.figures import Number, NumberColumn
from usage_viewer.domain.period import Granularity, Span, periods
from usage_viewer.domain.table import Column, ColumnKey, FigureColumn, GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view_parts import Value

MakeTable = Callable[..., Table]


def _figures(numbers: Sequence[Number | None]) -> NumberColumn:
    present = [number for number in numbers if number is not None]
    if any(isinstance(number, float) for number in present):
        dtype: type = np.float64
    elif all(isinstance(number, int) and abs(number) < 2**63 for number in present):
        dtype = np.int64
    else:
        dtype = np.object_
    values: NDArray[Any] = np.array([0 if number is None else number for number in numbers], dtype)
    missing = np.array([number is None for number in numbers], np.bool_)
    return NumberColumn(values, missing if missing.any() else None)


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    """Return a function that builds a table from lists of values by column: `texts`, then `numbers`.

    `days` puts a period of one day for each row in front. `labels` are those of values, `names` those of columns.
    """

    def build(
        texts: dict[str, list[Value]] | None = None,
        numbers: dict[str, list[Number | None]] | None = None,
        *,
        days: bool = False,
        labels: dict[str, str] | None = None,
        names: dict[str, str] | None = None,
        boolean: bool = False,
    ) -> Table:
        labels, names, columns = labels or {}, names or {}, list[Column]()
        count = next((len(listed) for lists in (texts, numbers) for listed in (lists or {}).values()), 0)
        if days:
            span = Span(1_790_000_000 // 86400 * 86400, (1_790_000_000 // 86400 + max(count, 1)) * 86400)
            columns.append(PeriodColumn(np.arange(count, dtype=np.int32), periods(span, Granularity.DAY, UTC)))
        for name, listed in (texts or {}).items():
            distinct = tuple(dict.fromkeys(listed))
            places = {value: place for place, value in enumerate(distinct)}
            codes = np.array([places[value] for value in listed], np.int32)
            shown = tuple("(none)" if value is None else labels.get(value, value) for value in distinct)
            kind = "project" if name == "project_id" else ""
            dimension = Dimension(name, names.get(name, name), boolean=boolean, names=kind)
            columns.append(GroupColumn(dimension, codes, distinct, shown))
        for name, figures in (numbers or {}).items():
            kind = Kind.DECIMAL if any(isinstance(one, Decimal) for one in figures) else Kind.COUNT
            columns.append(FigureColumn(ColumnKey(name), names.get(name, name), "", kind, _figures(figures), None))
        return Table(tuple(columns), count)

    return build
