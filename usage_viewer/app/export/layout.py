"""Defines `Layout`, a document as text before, between and after its rows, and the cells of rows and totals."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np

from usage_viewer.app.export.cells import Cells, text_cells
from usage_viewer.app.export.content import Export
from usage_viewer.domain.column import CellWriter
from usage_viewer.domain.table import FigureColumn, GroupColumn, Table

_FIRST = np.zeros(1, np.int64)


class TextCellWriter(CellWriter[Cells], Protocol):
    """Writes cells as text."""

    @property
    def text(self) -> Callable[[str], str]:
        """Returns the cell with a text."""


@dataclass(frozen=True)
class Layout:
    """Describes a document: `head`, the rows, `tail`.

    `row` joins the cells of a row. If there are rows, `first` and `last` enclose them and `between` separates them.
    """

    cells: tuple[Cells, ...]
    row: Callable[[tuple[str, ...]], str]
    between: str
    head: str = ""
    first: str = ""
    last: str = ""
    tail: str = ""


def row_cells(table: Table, style: TextCellWriter, join: Callable[[Iterable[str]], str]) -> tuple[Cells, ...]:
    """Return the cells of each column; adjacent groups become one cell, joined once a group, not once a row."""
    cells: list[Cells] = []
    for _, run in groupby(table.columns, lambda column: None if column.group is None else id(column.group)):
        columns = list(run)
        groups = [column for column in columns if isinstance(column, GroupColumn) and column.values]
        if len(groups) < 2 or groups[0].group is None:
            cells += [column.cells(style) for column in columns]
            continue
        texts = [list(map(style.text, column.labels)) for column in groups]
        parts = [
            [labels[code] for code in column.known.tolist()] for labels, column in zip(texts, groups, strict=True)
        ]
        cells.append(text_cells(groups[0].group, list(map(join, zip(*parts, strict=True)))))
    return tuple(cells)


def total_cells(export: Export, style: TextCellWriter) -> list[str]:
    """Return the cells of the totals row: its label in the first column that is not a figure, and the totals."""
    cells, totals = list[str](), export.totals
    label = "" if totals is None else totals.label
    for column in export.table.columns:
        if isinstance(column, FigureColumn) and totals is not None:
            cells += style.numbers(totals.of(column), column.kind, column.unit)(_FIRST)
        else:
            cells.append(style.text(label))
            label = ""
    return cells
