"""Columns as lists of finished cells, a block of rows at a time; each distinct text is made once, not per row."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.table import PeriodColumn
from usage_viewer.domain.zones import iso

_ENCODER = msgspec.json.Encoder()

Cells = Callable[[RowOrder], list[str]]
"""Gives the cells of some rows, in their order."""

Numbers = Callable[[NDArray[Any]], list[str]]
"""Writes the values of `NumberColumn`, none of them missing."""


def text_cells(codes: NDArray[np.int32], finished: Sequence[str]) -> Cells:
    """Cells that repeat the texts `finished`: row i shows text `codes[i]`."""
    texts = np.empty(len(finished), object)
    texts[:] = finished

    def cells(rows: RowOrder) -> list[str]:
        listed: list[str] = texts[codes[rows]].tolist()
        return listed

    return cells


def moment_cells(column: PeriodColumn, *, end: bool) -> Cells:
    """The start or the end (exclusive) of each row's period, as ISO 8601 in quotes."""

    def cells(rows: RowOrder) -> list[str]:
        used, place = np.unique(column.index[rows] + end, return_inverse=True)
        zone = column.periods.zone
        moments = [f'"{iso(moment, zone)}"' for moment in column.periods.bounds[used].tolist()]
        return [moments[index] for index in place.tolist()]

    return cells


def number_cells(figures: NumberColumn, numbers: Numbers, missing: str) -> Cells:
    """Cells of figures, each written by `numbers`, with `missing` where there is none."""
    if figures.missing is None:
        return lambda rows: numbers(figures.values[rows])
    gone = figures.missing

    def cells(rows: RowOrder) -> list[str]:
        values, lacking = figures.values[rows], gone[rows]
        values[lacking] = 0  # has no meaning, and need not be a number
        texts = numbers(values)
        for index in np.flatnonzero(lacking).tolist():
            texts[index] = missing
        return texts

    return cells


def plain_numbers(values: NDArray[Any]) -> list[str]:
    """Counts and decimals to the last digit; quotients rounded for reading (see `rounded`). No exponents."""
    return rounded(values) if values.dtype == np.float64 else _exact(values)


def full_numbers(values: NDArray[Any]) -> list[str]:
    """Counts and decimals to the last digit; quotients so that reading them gives the same float."""
    return _encoded(values) if values.dtype == np.float64 else _exact(values)


def with_decimal_point(point: str, numbers: Numbers) -> Numbers:
    """`numbers`, written with another decimal point."""
    if point == ".":
        return numbers

    def written(values: NDArray[Any]) -> list[str]:
        texts = numbers(values)
        return texts if values.dtype == np.int64 else [text.replace(".", point) for text in texts]

    return written


def rounded(values: NDArray[np.float64]) -> list[str]:
    """To 6 decimals, to 6 significant digits below 1; no zeros at the end, no exponents."""
    size = np.abs(values)
    scale = np.select([size >= 0.1, size >= 0.01, size >= 0.001], [1e6, 1e7, 1e8], 1e9)
    unusual = ((size < 1e-4) & (size > 0)) | (size >= 1e9)
    near = np.rint(np.where(unusual, 0, values) * scale) / scale + 0.0  # adding 0 makes -0 plain
    texts = _encoded(near, whole=".0,")
    for index in np.flatnonzero(unusual).tolist():
        digits = 15 if size[index] >= 1e9 else 6
        texts[index] = np.format_float_positional(values[index], digits, unique=False, fractional=False, trim="-")
    return texts


def _exact(values: NDArray[Any]) -> list[str]:
    if values.dtype == np.object_:
        return [str(value) if type(value) is int else f"{value:f}" for value in values.tolist()]
    return _encoded(values)


def _encoded(values: NDArray[Any], whole: str = "") -> list[str]:
    """Through the JSON encoder: several times as fast as `str` or `%` on each. `whole`: an ending to drop."""
    if not len(values):
        return []
    joined = _ENCODER.encode(values.tolist())[1:-1].decode() + ","
    return (joined.replace(whole, ",") if whole else joined)[:-1].split(",")
