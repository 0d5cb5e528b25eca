"""Defines the column that tells when an API key, or any key of a user, was last used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import TypeVar

import numpy as np

from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.column import (
    Alignment,
    CellDetails,
    CellFormat,
    CellWriter,
    Codes,
    Dates,
    FieldWriter,
    Member,
    Rows,
    SortPasses,
)
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.columns import GroupColumn
from usage_viewer.domain.names import NEVER, Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view_parts import HAVE_LAST_USED, last_used_name
from usage_viewer.domain.zones import iso, zone_name

T = TypeVar("T")

NEVER_TEXT = "never"


@dataclass(frozen=True)
class LastUsedColumn:
    """Holds when the key of each row was last used, as the organization's lists said when they were read.

    Row i has the moment `moments[codes[i]]`: epoch seconds, `NEVER`, or None where no list says it.
    """

    of: GroupColumn
    moments: tuple[int | None, ...]
    zone: tzinfo
    alignment = Alignment.LEFT
    can_elide = True
    largest_first = False
    total = None
    group = None

    @classmethod
    def for_group(cls, column: GroupColumn, names: Names, zone: tzinfo) -> "LastUsedColumn | None":
        """Return the column beside a dimension's column; None if no list says anything about its values."""
        moments = tuple(names.last_used(column.dimension, value) for value in column.values)
        return cls(column, moments, zone) if any(moment is not None for moment in moments) else None

    @cached_property
    def key(self) -> ColumnKey:
        """The plain key of the dimension, with `_last_used`."""
        return ColumnKey(last_used_name(self.of.name))

    @property
    def name(self) -> str:
        """The name of the key."""
        return self.key.name

    @cached_property
    def label(self) -> str:
        """What it is and the zone, such as `API key last used (UTC)`."""
        return f"{self.of.label} last used ({self._zone_name})"

    @property
    def _zone_name(self) -> str:
        return zone_name(self.zone, max((moment or NEVER for moment in self.moments), default=NEVER))

    @property
    def _codes(self) -> Codes:
        return self.of.codes

    def _text(self, moment: int | None) -> str:
        if moment is None:
            return ""
        return f"{datetime.fromtimestamp(moment, self.zone):%Y-%m-%d %H:%M}" if moment != NEVER else NEVER_TEXT

    def value(self, row: int) -> int | None:
        """Return a row's moment."""
        return self.moments[self.of.code(row)]

    def texts(self, rows: Rows, form: CellFormat) -> list[str]:
        """Return the moments of some rows in a locale."""
        codes = self.of.codes_at(rows).tolist()
        texts = {code: self._shown(self.moments[code], form) for code in set(codes)}
        return [texts[code] for code in codes]

    def _shown(self, moment: int | None, form: CellFormat) -> str:
        return NEVER_TEXT if moment == NEVER else form.moment(moment, self.zone)

    def total_text(self, form: CellFormat) -> str:
        """Return ""."""
        return ""

    def describe(self, dataset: Dataset) -> str:
        """Return what the column tells and where it comes from."""
        whose = "this key" if self.of.dimension.names == "api_key" else "any key of this user"
        return (
            f"{self.label}\nWhen {whose} was last used for anything, also outside the shown range.\n"
            "From the organization's lists, as they were when the names were last loaded."
        )

    def details(self, row: int, words: CellDetails) -> list[str]:
        """Return the exact moment."""
        moment = self.value(row)
        return [] if moment is None or moment == NEVER else [iso(moment, self.zone)]

    def member(self, row: int) -> Member | None:
        """Return None."""
        return None

    def sort_passes(self, *, descending: bool) -> SortPasses:
        """Return the moments, and then the mask of missing ones; `never` is before any moment."""
        codes = self._codes
        values = np.array([moment or NEVER for moment in self.moments], np.int64)[codes]
        missing = np.array([moment is None for moment in self.moments], np.bool_)[codes]
        return [(values, descending), (missing, False)]

    def cells(self, writer: CellWriter[T]) -> T:
        """Return the moments as dates; a text where there is none."""
        dates = [None if moment == NEVER else moment for moment in self.moments]
        texts = list(map(self._text, self.moments))
        return writer.dates(self._codes, texts, Dates(dates, self.zone, Granularity.MINUTE))

    def fields(self, writer: FieldWriter[T], *, names: bool) -> list[tuple[str, T]]:
        """Return ISO 8601, `never` or null."""
        values = [NEVER_TEXT if moment == NEVER else _iso(moment, self.zone) for moment in self.moments]
        return [(self.key.text, writer.values(self._codes, values, boolean=False))]


def last_used_columns(groups: Sequence[GroupColumn], names: Names, zone: tzinfo) -> list[LastUsedColumn]:
    """Return the columns for those dimensions of which the lists say when they were last used."""
    of_keys = (group for group in groups if group.dimension.names in HAVE_LAST_USED)
    columns = (LastUsedColumn.for_group(group, names, zone) for group in of_keys)
    return [column for column in columns if column is not None]


def _iso(moment: int | None, zone: tzinfo) -> str | None:
    return None if moment is None else iso(moment, zone)
