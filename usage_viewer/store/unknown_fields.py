"""Fields that this version doesn't know, read out of the JSON beside each fact: which there are, their values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import EXTRA, Dataset, Extras, Metric, extra_label, is_extra
from usage_viewer.domain.view import Value
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.schema import DECIMAL, existing_tables, fact_table, quoted


def value_of(name: str) -> str:
    """The SQL of a field's value as text."""
    pointer = "/" + extra_label(name).replace("~", "~0").replace("/", "~1")
    literal = pointer.replace("'", "''")
    return f"json_extract_string(extra, '{literal}')"


def figure_of(metric: Metric) -> str:
    """The SQL of a metric's figure. What an unknown field holds beside numbers is missing."""
    return f"TRY_CAST({value_of(metric.name)} AS {DECIMAL})" if is_extra(metric.name) else quoted(metric.name)


@dataclass(frozen=True)
class Widened:
    """Combinations that unknown fields tell apart too, and how a query over facts finds their numbers."""

    combinations: DimensionIndex
    columns: Mapping[str, NDArray[Any]]
    joining: str
    table: str = "widened"
    cell: str = "widened.number"


def widen(cursor: Connection, dataset: Dataset, coverage: Coverage, base: DimensionIndex) -> Widened:
    """`dataset`: with the unknown fields as dimensions; `base`: the combinations without them."""
    names = [item.name for item in dataset.dimensions if is_extra(item.name)]
    found = sorted(_distinct(cursor, dataset, coverage, names), key=lambda row: (row[0], *map(str, row[1:])))
    known: list[tuple[Value, ...]] = [row[1:] for row in base.since(0)]
    combinations = DimensionIndex(dataset, [(*known[row[0]], *row[1:]) for row in found])
    columns: dict[str, NDArray[Any]] = {
        "number": np.arange(len(found), dtype=np.int32),
        "of_combination": np.array([row[0] for row in found], np.int32),
    }
    conditions = ["combination = widened.of_combination"]
    for index, name in enumerate(names):
        # A column that holds nothing but None has no type of its own: an empty text stands for it beside a flag.
        columns[f"value{index}"] = np.array([row[1 + index] or "" for row in found], np.object_)
        columns[f"none{index}"] = np.array([row[1 + index] is None for row in found], np.bool_)
        conditions.append(f"COALESCE({value_of(name)}, '') = widened.value{index}")
        conditions.append(f"({value_of(name)} IS NULL) = widened.none{index}")
    return Widened(combinations, columns, f"JOIN widened ON {' AND '.join(conditions)}")


def _distinct(
    cursor: Connection, dataset: Dataset, coverage: Coverage, names: Sequence[str]
) -> set[tuple[int, *tuple[Value, ...]]]:
    there = existing_tables(cursor)
    fields = ", ".join(value_of(name) for name in names)
    found: set[tuple[int, *tuple[Value, ...]]] = set()
    span = coverage.periods.span
    for width in dataset.widths:
        if fact_table(dataset, width) in there:
            found.update(
                cursor.execute(
                    f"SELECT DISTINCT combination, {fields} FROM {quoted(fact_table(dataset, width))}"
                    " WHERE bucket >= ? AND bucket < ?",
                    [span.start, span.end],
                ).fetchall()
            )
    return found


def values_of(cursor: Connection, dataset: Dataset, name: str) -> tuple[Value, ...]:
    """Every value of a field, None where it isn't given."""
    found: set[Value] = set()
    there = existing_tables(cursor)
    for width in dataset.widths:
        if fact_table(dataset, width) in there:
            rows = cursor.execute(f"SELECT DISTINCT {value_of(name)} FROM {quoted(fact_table(dataset, width))}")
            found.update(value for (value,) in rows.fetchall())
    return tuple(sorted(found, key=lambda value: (value is None, value or "")))


class KnownExtras:
    """Which unknown fields the answers of one dataset have held. One thread at a time may call `note`."""

    def __init__(self, examples: Iterable[str] = ()) -> None:
        self._numbers: frozenset[str] = frozenset()
        self._others: frozenset[str] = frozenset()
        self.note(examples)

    @classmethod
    def load(cls, cursor: Connection, dataset: Dataset) -> "KnownExtras":
        there = existing_tables(cursor)
        known = cls()
        for width in dataset.widths:
            if fact_table(dataset, width) in there:
                rows = cursor.execute(
                    f"SELECT any_value(extra) FROM {quoted(fact_table(dataset, width))}"
                    " WHERE extra IS NOT NULL GROUP BY json_structure(extra)"
                )
                known.note(text for (text,) in rows.fetchall())
        return known

    def note(self, texts: Iterable[str]) -> None:
        """`texts`: JSON objects."""
        numbers, others = set(self._numbers), set(self._others)
        for text in set(texts):
            for field, raw in _OBJECT.decode(text).items():
                (numbers if _is_number(raw) else others).add(EXTRA + field)
        self._numbers, self._others = frozenset(numbers), frozenset(others)

    @property
    def extras(self) -> Extras:
        """A field that was ever anything but a number is none."""
        return Extras(tuple(sorted(self._numbers - self._others)), tuple(sorted(self._others)))


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _is_number(raw: msgspec.Raw) -> bool:
    """Also one beyond any range."""
    return bytes(raw)[:1] in b"-0123456789"
