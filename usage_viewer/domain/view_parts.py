"""Defines what a view consists of: filters, sort keys, and the names of columns that no dataset has."""

from dataclasses import dataclass
from typing import Final

from usage_viewer.domain.column_key import ColumnKey

PERIOD = "period"
"""Name of the period's column; the other columns have the names of dimensions and metrics."""

Value = str | None
"""A dimension's value: text ("true" or "false" for a boolean), or None, displayed as `Dimension.none`."""

NOT_AVAILABLE: Final = "\ufdd0not available"
"""The value of a dimension where the organization's API does not grant it: neither an id nor none."""

NOT_AVAILABLE_TEXT = "(not available)"


PIVOT_WITH_COMPARISON: Final = "A comparison needs figures as columns"
"""Why a view has no comparison and pivot together."""

NEW_OR_GONE: Final = "new_or_gone"
"""Name of the column that marks the rows which only one of two compared periods has."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the rows whose `dimension` has one of `values`; with `exclude`, removes those rows."""

    dimension: str
    values: frozenset[Value]
    exclude: bool = False

    def passes(self, value: Value) -> bool:
        """Report whether a row with this value of the dimension is kept."""
        return (value in self.values) != self.exclude


@dataclass(frozen=True, slots=True, init=False)
class SortKey:
    """Names a column to sort by, and the direction; a name stands for the plain key of its column."""

    column: ColumnKey
    descending: bool

    def __init__(self, column: ColumnKey | str, descending: bool = False) -> None:
        object.__setattr__(self, "column", ColumnKey.of(column))
        object.__setattr__(self, "descending", descending)


HAVE_LAST_USED: Final = frozenset(["api_key", "user"])
"""The kinds of names of which the organization's lists tell when they were last used."""


def last_used_name(dimension: str) -> str:
    """Return the name of the column that tells when the keys of a dimension were last used."""
    return f"{dimension}_last_used"
