"""Reads fields that this version does not know from the JSON that is stored with each fact."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import EXTRA, Dataset, Extras, extra_label, is_extra
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.dimension_index import DimensionIndex
from usage_viewer.store.engine.database import Connection, quoted
from usage_viewer.store.engine.schema import existing_tables, fact_table


def field_sql(name: str) -> str:
    """Return the SQL expression of an unknown field's value as text."""
    pointer = "/" + extra_label(name).replace("~", "~0").replace("/", "~1")
    literal = pointer.replace("'", "''")
    return f"json_extract_string(extra, '{literal}')"


MAX_DIGITS = 90
"""Digits before and after the point up to which numbers of unknown fields are added up, exactly."""


class FieldNumbers:
    """Reads the numbers of one unknown field from JSON objects, exactly: DuckDB would round them to doubles."""

    def __init__(self, name: str) -> None:
        self._field = extra_label(name)
        self._known: dict[str | None, Decimal | None] = {None: None}

    def read(self, texts: Iterable[str | None]) -> list[Decimal | None]:
        """Return the field's number in each object; None where it is missing or no number."""
        known = self._known
        return [known[text] if text in known else self._remember(text) for text in texts]

    def is_left_out(self, text: str) -> bool:
        """Report whether the object has a value of the field, other than null, that `read` returns None for."""
        raw = _OBJECT.decode(text).get(self._field)
        return raw is not None and bytes(raw) != b"null" and self.read([text]) == [None]

    def _remember(self, text: str | None) -> Decimal | None:
        number = None if text is None else self._parse(text)
        if len(self._known) < MAX_REMEMBERED:
            self._known[text] = number
        return number

    def _parse(self, text: str) -> Decimal | None:
        raw = _OBJECT.decode(text).get(self._field)
        if raw is None or not _is_number(raw):
            return None
        number = Decimal(bytes(raw).decode("ascii"))
        _, digits, exponent = number.as_tuple()
        assert isinstance(exponent, int)  # JSON has neither NaN nor infinity
        return number if exponent >= -MAX_DIGITS and len(digits) + exponent <= MAX_DIGITS else None


MAX_REMEMBERED = 100_000
"""So many different objects are decoded once only."""


def left_out_notes(
    cursor: Connection, dataset: Dataset, runs: Iterable[BucketRun], fields: Iterable[str]
) -> Iterator[str]:
    """Yield a sentence for each unknown field of which values are not in the sums of these buckets."""
    for name in fields:
        count = count_left_out(cursor, dataset, runs, name)
        if count:
            rows = "1 row has" if count == 1 else f"{count:,} rows have"
            label = visible(extra_label(name))
            yield f"{label}: {rows} a value that can't be added up and is missing in the sums."


def count_left_out(cursor: Connection, dataset: Dataset, runs: Iterable[BucketRun], name: str) -> int:
    """Return in how many rows of these buckets an unknown field has a value that can't be added up."""
    numbers, count = FieldNumbers(name), 0
    for run in runs:
        rows = cursor.execute(
            f"SELECT extra, count(*) FROM {quoted(fact_table(dataset, run.width))}"
            " WHERE bucket >= ? AND bucket < ? AND extra IS NOT NULL GROUP BY extra",
            [run.start, run.end],
        ).fetchall()
        count += sum(rows_of for text, rows_of in rows if numbers.is_left_out(text))
    return count


@dataclass(frozen=True)
class ExtendedIndex:
    """An index whose combinations include unknown fields, and the SQL that finds a fact's id in it.

    `columns` are those of `table`, to be registered before a query uses `join` and `cell`.
    """

    index: DimensionIndex
    columns: Mapping[str, NDArray[Any]]
    join: str
    table: str = "extended"
    cell: str = "extended.number"


def extend_index(cursor: Connection, dataset: Dataset, coverage: Coverage, base: DimensionIndex) -> ExtendedIndex:
    """Build the index of a dataset that has unknown fields as dimensions; `base` is its index without them."""
    names = [item.name for item in dataset.dimensions if is_extra(item.name)]
    rows = sorted(_read_distinct(cursor, dataset, coverage, names), key=lambda row: (row[0], *map(str, row[1:])))
    known: list[Combination] = base.combinations()
    index = DimensionIndex(dataset, [(*known[row[0]], *row[1:]) for row in rows])
    columns: dict[str, NDArray[Any]] = {
        "number": np.arange(len(rows), dtype=np.int32),
        "of_combination": np.array([row[0] for row in rows], np.int32),
    }
    conditions = ["combination = extended.of_combination"]
    for number, name in enumerate(names):
        # DuckDB can't infer the type of a column of None only: null is an empty text with a flag.
        columns[f"value{number}"] = np.array([row[1 + number] or "" for row in rows], np.object_)
        columns[f"none{number}"] = np.array([row[1 + number] is None for row in rows], np.bool_)
        conditions.append(f"COALESCE({field_sql(name)}, '') = extended.value{number}")
        conditions.append(f"({field_sql(name)} IS NULL) = extended.none{number}")
    return ExtendedIndex(index, columns, f"JOIN extended ON {' AND '.join(conditions)}")


def _read_distinct(
    cursor: Connection, dataset: Dataset, coverage: Coverage, names: Sequence[str]
) -> set[tuple[int, *tuple[Value, ...]]]:
    """Return each combination's id with the values of these fields that occur with it."""
    tables = existing_tables(cursor)
    fields = ", ".join(field_sql(name) for name in names)
    rows: set[tuple[int, *tuple[Value, ...]]] = set()
    span = coverage.periods.span
    for width in dataset.widths:
        if fact_table(dataset, width) in tables:
            rows.update(
                cursor.execute(
                    f"SELECT DISTINCT combination, {fields} FROM {quoted(fact_table(dataset, width))}"
                    " WHERE bucket >= ? AND bucket < ?",
                    [span.start, span.end],
                ).fetchall()
            )
    return rows


def read_field_values(cursor: Connection, dataset: Dataset, name: str) -> tuple[Value, ...]:
    """Return every stored value of an unknown field; None if some fact lacks it."""
    values: set[Value] = set()
    tables = existing_tables(cursor)
    for width in dataset.widths:
        if fact_table(dataset, width) in tables:
            rows = cursor.execute(f"SELECT DISTINCT {field_sql(name)} FROM {quoted(fact_table(dataset, width))}")
            values.update(value for (value,) in rows.fetchall())
    return tuple(sorted(values, key=lambda value: (value is None, value or "")))


class UnknownFields:
    """Records which unknown fields the answers of one dataset have had. One thread at a time may call `add`."""

    def __init__(self, examples: Iterable[str] = ()) -> None:
        self._numbers: frozenset[str] = frozenset()
        self._others: frozenset[str] = frozenset()
        self.add(examples)

    @classmethod
    def load(cls, cursor: Connection, dataset: Dataset) -> "UnknownFields":
        """Read one JSON object of each structure that is stored."""
        tables = existing_tables(cursor)
        fields = cls()
        for width in dataset.widths:
            if fact_table(dataset, width) in tables:
                rows = cursor.execute(
                    f"SELECT any_value(extra) FROM {quoted(fact_table(dataset, width))}"
                    " WHERE extra IS NOT NULL GROUP BY json_structure(extra)"
                )
                fields.add(text for (text,) in rows.fetchall())
        return fields

    def add(self, texts: Iterable[str]) -> None:
        """Add the fields of JSON objects."""
        numbers, others = set(self._numbers), set(self._others)
        for text in set(texts):
            for field, raw in _OBJECT.decode(text).items():
                (numbers if _is_number(raw) else others).add(EXTRA + field)
        self._numbers, self._others = frozenset(numbers), frozenset(others)

    @property
    def extras(self) -> Extras:
        """The fields by kind. A field that ever had another value than a number is no figure."""
        return Extras(tuple(sorted(self._numbers - self._others)), tuple(sorted(self._others)))


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _is_number(raw: msgspec.Raw) -> bool:
    """Report whether a JSON value is a number, of any magnitude."""
    return bytes(raw)[:1] in b"-0123456789"
