"""Identifies rows by their period and groups, so that a selection survives a change of the table."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.column import RowPart
from usage_viewer.domain.table import Table


@dataclass(frozen=True, slots=True)
class RowKeys:
    """Holds the names of the head columns, and for each row its parts in the order of the names."""

    names: tuple[str, ...]
    parts: tuple[tuple[RowPart, ...], ...]


def keys_of(table: Table, rows: Sequence[int] | NDArray[np.int64]) -> RowKeys:
    """Return the keys of some rows (indices into the table's columns); for small numbers of rows."""
    picked = np.asarray(rows, dtype=np.int64)
    parts = [head.parts(head.codes_at(picked)) for head in table.heads]
    keys = zip(*parts, strict=True) if parts else [()] * len(picked)
    return RowKeys(tuple(head.name for head in table.heads), tuple(keys))


def find_rows(table: Table, keys: RowKeys) -> NDArray[np.int64]:
    """Return the index of each key's row in the table, or -1.

    Walks the columns as a trie: each one narrows the rows to those that match the beginning of some key, so that a
    million rows take a few passes over integers.
    """
    rows_of_keys = np.full(len(keys.parts), -1, dtype=np.int64)
    if tuple(head.name for head in table.heads) != keys.names or not keys.parts:
        return rows_of_keys
    if not keys.names:
        rows_of_keys[: table.rows] = 0
        return rows_of_keys
    rows = np.arange(table.rows, dtype=np.int64)
    prefixes = np.zeros(table.rows, dtype=np.int64)  # of `rows`: the number of the key beginning that each matches
    key_prefixes = np.zeros(len(keys.parts), dtype=np.int64)
    for place, head in enumerate(table.heads):
        codes = head.codes_of([key[place] for key in keys.parts])
        width = int(codes.max()) + 1
        key_prefixes = np.where((key_prefixes < 0) | (codes < 0), -1, key_prefixes * width + codes)
        row_codes = head.codes_at(rows).astype(np.int64)
        row_prefixes = np.where(row_codes < width, prefixes * width + row_codes, -1)
        distinct = np.unique(key_prefixes[key_prefixes >= 0])
        if not len(distinct):
            return rows_of_keys
        slot = np.minimum(np.searchsorted(distinct, row_prefixes), len(distinct) - 1)
        match = distinct[slot] == row_prefixes
        rows, prefixes = rows[match], slot[match]
        key_prefixes = np.where(key_prefixes < 0, -1, np.searchsorted(distinct, key_prefixes))
    row_of_prefix = np.full(int(key_prefixes.max()) + 1, -1, dtype=np.int64)
    row_of_prefix[prefixes] = rows
    rows_of_keys[key_prefixes >= 0] = row_of_prefix[key_prefixes[key_prefixes >= 0]]
    return rows_of_keys
