"""Defines `ColumnKey`, the identity of a table's column, and its text for settings and exports."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from usage_viewer.domain.zones import iso

_MARK = "@"
_ESCAPED = re.compile(f"[%{_MARK};=]")
_ESCAPE = re.compile("%([0-9a-f]{2})")


class ChangeKind(StrEnum):
    """Names the columns that a comparison computes from a figure and the same figure of the compared period."""

    AMOUNT = "change"
    SHARE = "change_percent"
    VOLUME = "change_volume"
    PRICE = "change_price"
    NEW = "change_new"
    GONE = "change_gone"
    UNSPLIT = "change_unsplit"


@dataclass(frozen=True, slots=True)
class ColumnKey:
    """Identifies a column by its figure, dimension or period, and by what limits it.

    A key without limits is *plain*. A pivot limits a figure to one period (`period`: its start, epoch seconds) or
    to one value of a dimension (`where`: the dimension's name and the value, None for "(none)"), or to all that has
    no column of its own (`others`). A comparison marks the figure of the compared range (`compared`) and what it
    computes of both (`change`).
    """

    name: str
    period: int | None = None
    where: tuple[str, str | None] | None = None
    compared: bool = False
    change: ChangeKind | None = None
    others: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the key has no limits."""
        return not self.is_of_pivot and not self.is_of_comparison

    @property
    def is_of_pivot(self) -> bool:
        """Whether the column is one of those that a pivot has across, not its total."""
        return self.period is not None or self.where is not None or self.others

    @property
    def is_of_comparison(self) -> bool:
        """Whether the column needs a compared period."""
        return self.compared or self.change is not None

    @property
    def text(self) -> str:
        """Returns the key as text: the bare name of a plain key, else the name, `@` and the limits.

        Examples: `input_tokens`, `input_tokens@period=2026-10-01T00:00:00Z`, `input_tokens@where=model=gpt-6`,
        `input_tokens@where=model` (no value), `input_tokens@others`, `input_tokens@compared`,
        `input_tokens@change`. `parse` reads every text back.
        """
        if self.is_plain and _read(self.name) is None:
            return self.name
        return _written(self)

    @staticmethod
    def parse(text: str) -> "ColumnKey":
        """Return the key with this text; any text that `text` never gives is a plain key's name."""
        return _read(text) or ColumnKey(text)

    @staticmethod
    def of(column: "ColumnKey | str") -> "ColumnKey":
        """Return the key itself, or the plain key of a name."""
        return ColumnKey(column) if isinstance(column, str) else column

    def with_name(self, name: str) -> "ColumnKey":
        """Return the key of another figure under the same limits."""
        return ColumnKey(name, self.period, self.where, self.compared, self.change, self.others)


_CHANGES = {kind.value: kind for kind in ChangeKind}


def _written(key: ColumnKey) -> str:
    limits = []
    if key.period is not None:
        limits.append(f"period={_moment(key.period)}")
    if key.where is not None:
        limits.append("where=" + "=".join(_escaped(part) for part in key.where if part is not None))
    if key.others:
        limits.append("others")
    if key.compared:
        limits.append("compared")
    if key.change is not None:
        limits.append(key.change.value)
    return f"{_escaped(key.name)}{_MARK}{';'.join(limits)}"


def _read(text: str) -> ColumnKey | None:
    """Return the key of a text with limits; None for any other text."""
    name, mark, limits = text.partition(_MARK)
    if not mark:
        return None
    period, where, compared, change, others = None, None, False, None, False
    for limit in limits.split(";") if limits else ():
        kind, equals, rest = limit.partition("=")
        if kind == "period":
            period = _seconds(rest)
        elif kind == "where":
            dimension, given, value = rest.partition("=")
            where = (_unescaped(dimension), _unescaped(value) if given else None)
        elif kind in _CHANGES and not equals:
            change = _CHANGES[kind]
        elif kind == "others":
            others = True
        else:
            compared = kind == "compared" and not equals
    key = ColumnKey(_unescaped(name), period, where, compared, change, others)
    # The name of a key without limits is shorter than the text: this ends.
    return key if key.text == text else None


def _moment(seconds: int) -> str:
    """Return ISO 8601 in UTC, or plain seconds outside the years that it can write."""
    try:
        return iso(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _seconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.timestamp()) if moment.tzinfo is not None else int(text)
    except (ValueError, OverflowError):
        return int(text) if re.fullmatch("-?[0-9]{1,30}", text) else None


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"%{ord(match[0]):02x}", text)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
