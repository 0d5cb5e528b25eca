"""Rows by what they are about, so that a selection survives when the table beneath it is another one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.table import GroupColumn, PeriodColumn, Table
from usage_viewer.domain.view import Value

Part = int | Value
"""A period's start in epoch seconds, or a dimension's value."""


@dataclass(frozen=True, slots=True)
class RowKeys:
    """The head columns' names, and for each row its parts in their order."""

    names: tuple[str, ...]
    parts: tuple[tuple[Part, ...], ...]


def keys_of(table: Table, rows: Sequence[int] | NDArray[np.int64]) -> RowKeys:
    """The keys of some of the table's rows (indices into its columns); for small numbers of rows."""
    picked = np.asarray(rows, dtype=np.int64)
    parts: list[list[Part]] = []
    for head in table.heads:
        if isinstance(head, PeriodColumn):
            parts.append(list(head.periods.bounds[head.index[picked]].tolist()))
        else:
            parts.append([head.values[code] for code in head.codes_at(picked).tolist()])
    keys = zip(*parts, strict=True) if parts else [()] * len(picked)
    return RowKeys(tuple(head.name for head in table.heads), tuple(keys))


def find_rows(table: Table, keys: RowKeys) -> NDArray[np.int64]:
    """For each key the index of the table's row that has it, or -1.

    Walks the columns as a trie: each narrows the rows to those that still match the beginning of some key, so that
    a million rows cost a few passes over integers.
    """
    found = np.full(len(keys.parts), -1, dtype=np.int64)
    if tuple(head.name for head in table.heads) != keys.names or not keys.parts:
        return found
    if not keys.names:
        found[: table.rows] = 0
        return found
    rows = np.arange(table.rows, dtype=np.int64)
    state = np.zeros(table.rows, dtype=np.int64)
    wanted = np.zeros(len(keys.parts), dtype=np.int64)
    for place, head in enumerate(table.heads):
        codes = _codes(head, [key[place] for key in keys.parts])
        width = int(codes.max()) + 1
        wanted = np.where((wanted < 0) | (codes < 0), -1, wanted * width + codes)
        here = (head.index[rows] if isinstance(head, PeriodColumn) else head.codes_at(rows)).astype(np.int64)
        there = np.where(here < width, state * width + here, -1)
        known = np.unique(wanted[wanted >= 0])
        if not len(known):
            return found
        slot = np.minimum(np.searchsorted(known, there), len(known) - 1)
        match = known[slot] == there
        rows, state = rows[match], slot[match]
        wanted = np.where(wanted < 0, -1, np.searchsorted(known, wanted))
    row_of = np.full(int(wanted.max()) + 1, -1, dtype=np.int64)
    row_of[state] = rows
    found[wanted >= 0] = row_of[wanted[wanted >= 0]]
    return found


def _codes(head: PeriodColumn | GroupColumn, parts: Sequence[Part]) -> NDArray[np.int64]:
    """What each part is called in this table's column; -1 where it isn't there."""
    if isinstance(head, GroupColumn):
        code = {value: index for index, value in enumerate(head.values)}
        return np.array([code.get(part, -1) for part in parts], dtype=np.int64)  # type: ignore[arg-type]
    starts = head.periods.bounds[:-1]
    moments = np.array(parts, dtype=np.int64)
    place = np.minimum(np.searchsorted(starts, moments), len(starts) - 1)
    return np.where(starts[place] == moments, place, -1)
