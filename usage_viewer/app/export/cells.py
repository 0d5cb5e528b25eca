"""Writes columns as lists of cells, a block of rows at a time; each distinct text is written once, not per row."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.row_order import RowOrder
from usage_viewer.domain.zones import iso

_ENCODER = msgspec.json.Encoder()

Cells = Callable[[RowOrder], list[str]]
"""Returns the cells of some rows, in their order."""

Numbers = Callable[[NDArray[Any]], list[str]]
"""Writes the values of a `NumberColumn`, none of them missing."""


def text_cells(codes: NDArray[np.int32], distinct: Sequence[str]) -> Cells:
    """Return cells that repeat finished texts: row i has `distinct[codes[i]]`."""
    texts = np.empty(len(distinct), object)
    texts[:] = distinct

    def cells(rows: RowOrder) -> list[str]:
        listed: list[str] = texts[codes[rows]].tolist()
        return listed

    return cells


def moment_cells(codes: NDArray[np.int32], moments: NDArray[np.int64], zone: tzinfo) -> Cells:
    """Return ISO 8601 in quotes: row i has the moment `moments[codes[i]]` (epoch seconds)."""

    def cells(rows: RowOrder) -> list[str]:
        used, place = np.unique(codes[rows], return_inverse=True)
        texts = [f'"{iso(moment, zone)}"' for moment in moments[used].tolist()]
        return [texts[index] for index in place.tolist()]

    return cells


def number_cells(figures: NumberColumn, numbers: Numbers, missing: str) -> Cells:
    """Return cells of figures, each written by `numbers`; `missing` stands for those not given."""
    if figures.missing is None:
        return lambda rows: numbers(figures.values[rows])
    mask = figures.missing

    def cells(rows: RowOrder) -> list[str]:
        values, is_missing = figures.values[rows], mask[rows]
        values[is_missing] = 0  # has no meaning, and need not be a number
        texts = numbers(values)
        for index in np.flatnonzero(is_missing).tolist():
            texts[index] = missing
        return texts

    return cells


def plain_numbers(values: NDArray[Any]) -> list[str]:
    """Write counts and decimals exactly and quotients rounded for reading (see `rounded`), without exponents."""
    return rounded(values) if values.dtype == np.float64 else _exact(values)


def full_numbers(values: NDArray[Any]) -> list[str]:
    """Write counts and decimals exactly, and quotients so that reading them gives the same float."""
    return _encoded(values) if values.dtype == np.float64 else _exact(values)


def with_decimal_point(point: str, numbers: Numbers) -> Numbers:
    """Return `numbers` with another decimal point."""
    if point == ".":
        return numbers

    def write(values: NDArray[Any]) -> list[str]:
        texts = numbers(values)
        return texts if values.dtype == np.int64 else [text.replace(".", point) for text in texts]

    return write


def rounded(values: NDArray[np.float64]) -> list[str]:
    """Write 6 decimals, below 1 6 significant digits, without trailing zeros and exponents."""
    size = np.abs(values)
    scale = np.select([size >= 0.1, size >= 0.01, size >= 0.001], [1e6, 1e7, 1e8], 1e9)
    unusual = ((size < 1e-4) & (size > 0)) | (size >= 1e9)
    near = np.rint(np.where(unusual, 0, values) * scale) / scale + 0.0  # adding 0 turns -0 into 0
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
    """Write numbers with the JSON encoder, several times faster than `str` on each; drops the ending `whole`."""
    if not len(values):
        return []
    joined = _ENCODER.encode(values.tolist())[1:-1].decode() + ","
    return (joined.replace(whole, ",") if whole else joined)[:-1].split(",")
