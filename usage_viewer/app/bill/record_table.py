"""Builds tables of records, so that they are written in the formats of every other table."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

import numpy as np

from usage_viewer.domain.catalog import MONEY, Kind
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.dataset import Dimension
from usage_viewer.domain.figures import EXACT, Number, NumberColumn
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.aggregate import normalize_decimal


def text_column(name: str, label: str, values: Sequence[Value], texts: Sequence[str] | None = None) -> GroupColumn:
    """Return a column of values, (n,); `texts` are shown in their place, except in JSON."""
    texts = [value or "" for value in values] if texts is None else texts
    places: dict[tuple[Value, str], int] = {}
    codes = [places.setdefault(pair, len(places)) for pair in zip(values, texts, strict=True)]
    distinct = tuple(places)
    return GroupColumn(
        Dimension(name, label),
        np.array(codes, np.int32),
        tuple(value for value, _ in distinct),
        tuple(text for _, text in distinct),
    )


def number_column(name: str, label: str, values: Sequence[Number | None], *, unit: str = "") -> FigureColumn:
    """Return a column of whole numbers, or of decimals where one is a decimal, (n,); None is missing."""
    is_decimal = unit == MONEY or any(isinstance(value, Decimal) for value in values)
    numbers = np.empty(len(values), np.object_)
    with localcontext(EXACT):
        numbers[:] = [normalize_decimal(value) if isinstance(value, Decimal) else value or 0 for value in values]
    missing = np.array([value is None for value in values], np.bool_)
    kind = Kind.DECIMAL if is_decimal else Kind.COUNT
    return FigureColumn(ColumnKey(name), label, unit, kind, NumberColumn(numbers, missing), None)
