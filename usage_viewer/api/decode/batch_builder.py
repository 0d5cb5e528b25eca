"""Builds the columns of a `Batch` from decoded rows (structs of a `ResultSchema`)."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from usage_viewer.api.decode.json_values import is_null, normalize_boolean, parse_decimal
from usage_viewer.api.decode.schema import ABSENT, ResultSchema, SchemaField
from usage_viewer.api.decode.tolerant_decoder import Fields
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset, Dimension
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.names import Name
from usage_viewer.domain.network_errors import WrongShape
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view_parts import Value

_ROWS_PER_STEP = 512
"""Rows converted to columns at a time: several small buckets together, or a part of a large one (so that its rows
are still in the processor's cache).
"""

_PAUSE_EVERY, _PAUSE = 0.003, 1e-5
"""Seconds. numpy releases the GIL in each step, but reacquires it before a waiting thread wakes, and so resets the
5 ms after which that thread could demand it. Sleeping 10 µs every 3 ms cut the longest stall of the window from 140
to 6 ms (measured with a page of 50 MB).
"""

_CASE_INSENSITIVE = "currency"  # the API has sent both "usd" and "USD"


class _CombinationNumbers(dict[tuple[Any, ...], int]):
    """Maps each combination of dimension values to a number, in order of first appearance."""

    def __missing__(self, key: tuple[Any, ...]) -> int:
        self[key] = number = len(self)
        return number


class BatchBuilder:
    """Collects the buckets of one page; `build()` returns them as one `Batch`."""

    def __init__(self, dataset: Dataset, width: BucketWidth, schema: ResultSchema) -> None:
        self._dataset, self._width, self._schema = dataset, width, schema
        self._starts: list[int] = []
        self._sizes: list[int] = []
        self._row_count = 0
        self._pending_rows: list[Any] = []
        self._combination_numbers = _CombinationNumbers()
        self._combination: list[NDArray[np.int32]] = []  # one array for each step
        self._counts: list[NDArray[np.int64]] = []  # one array (metrics, rows) for each step
        self._decimals: dict[str, list[Decimal | None]] = {field.item.name: [] for field in schema.decimals}
        self._extra: dict[int, str] = {}
        self._names: dict[Name, None] = {}
        self._last_pause = time.perf_counter()

    def add_bucket(
        self,
        start: int,
        rows: list[Any],
        schema: ResultSchema,
        path: str,
        extras: dict[int, Fields] | None = None,
    ) -> None:
        """Add the bucket that begins at `start` (epoch seconds); its rows are structs of `schema`.

        `extras` are the unknown fields by row number; None: read them from the structs. `path` is the bucket's
        place in the page, such as `data[3]`. Raises WrongShape for an invalid decimal number.
        """
        if schema is not self._schema:
            self._flush()  # one step must not mix structs of different schemas
            self._schema = schema
        # All are read before any is added: a bucket with an invalid number leaves nothing behind.
        decimals = {field.item.name: _decimals(field, rows, path) for field in schema.decimals}
        for name, values in decimals.items():
            self._decimals[name] += values
        for index, fields in (extras if extras is not None else _known_extras(rows, schema)).items():
            unknown = self._without_names(rows[index], fields)
            if unknown:
                self._extra[self._row_count + index] = _object_text(unknown)
        self._starts.append(start)
        self._sizes.append(len(rows))
        self._row_count += len(rows)
        self._pending_rows += rows
        if len(self._pending_rows) >= _ROWS_PER_STEP:
            self._flush()

    def build(self, grouped: tuple[str, ...]) -> Batch:
        """Return all buckets added so far; `grouped` are the dimensions that the request was grouped by."""
        self._flush()
        starts = np.array(self._starts, dtype=np.int64)
        combinations, numbers = self._normalized_combinations()
        columns = self._number_columns()
        return Batch(
            dataset=self._dataset.name,
            width=self._width,
            starts=np.sort(starts),
            grouped=grouped,
            combinations=list(combinations),
            bucket=np.repeat(starts, np.array(self._sizes, dtype=np.int64)),
            combination=numbers[_concatenate(self._combination, np.int32)],
            metrics={metric.name: columns[metric.name] for metric in self._dataset.metrics},
            extra=self._extra,
            names=tuple(self._names),
        )

    def _without_names(self, row: Any, fields: Fields) -> Fields:
        """Return the unknown fields without those that name an id of the row; the names are kept."""
        named = [(field, item) for field in self._schema.dimensions if (item := _named(field)) is not None]
        if not any(item.name_field in fields for _, item in named):
            return fields
        for field, item in named:
            raw, value = fields.get(item.name_field), _getter(field)(row)
            if raw is not None and isinstance(value, str) and value and bytes(raw)[:1] == b'"':
                name = msgspec.json.decode(raw, type=str)
                if name:
                    self._names[Name(item.names, value, name)] = None
        known = {item.name_field for _, item in named}
        return {name: raw for name, raw in fields.items() if name not in known}

    def _normalized_combinations(self) -> tuple[_CombinationNumbers, NDArray[np.int32]]:
        """Normalize all combinations; also return, for each original number, the number after normalization."""
        normalized = _CombinationNumbers()
        fields = self._schema.dimensions
        numbers = [
            normalized[tuple(_normalize(field, value) for field, value in zip(fields, values, strict=True))]
            for values in self._combination_numbers
        ]
        return normalized, np.array(numbers, dtype=np.int32)

    def _number_columns(self) -> dict[str, NumberColumn]:
        columns: dict[str, NumberColumn] = {}
        counts = np.concatenate(self._counts, axis=1) if self._counts else None
        for index, field in enumerate(self._schema.counts):
            values = np.empty(0, np.int64) if counts is None else counts[index]
            missing = values == ABSENT
            if missing.any():
                values[missing] = 0
            columns[field.item.name] = NumberColumn(values, missing if missing.any() else None)
        for name, decimals in self._decimals.items():
            exact = np.empty(len(decimals), dtype=object)
            exact[:] = [Decimal(0) if value is None else value for value in decimals]
            missing = np.array([value is None for value in decimals], dtype=np.bool_)
            columns[name] = NumberColumn(exact, missing if missing.any() else None)
        return columns

    def _flush(self) -> None:
        schema = self._schema
        flat = _is_flat((*schema.dimensions, *schema.counts))
        make_reader = _tuple_reader if flat else _struct_reader
        read_dimensions = make_reader(schema.dimensions, schema)
        read_counts = make_reader(schema.counts, schema)
        for first in range(0, len(self._pending_rows), _ROWS_PER_STEP):
            rows: list[Any] = self._pending_rows[first : first + _ROWS_PER_STEP]
            if flat:
                rows = list(map(astuple, rows))  # reading from tuples is faster than from structs
            self._counts.append(_count_array(read_counts, len(schema.counts), rows))
            numbers = map(self._combination_numbers.__getitem__, map(read_dimensions, rows))
            self._combination.append(np.fromiter(numbers, np.int32, len(rows)))
            self._pause_if_due()
        self._pending_rows = []

    def _pause_if_due(self) -> None:
        """Let other threads take the GIL if the last pause was more than `_PAUSE_EVERY` seconds ago."""
        if time.perf_counter() - self._last_pause > _PAUSE_EVERY:
            time.sleep(_PAUSE)
            self._last_pause = time.perf_counter()


def _concatenate(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _is_flat(fields: Sequence[SchemaField]) -> bool:
    return all(len(field.attributes) == 1 for field in fields)


def _tuple_reader(
    fields: Sequence[SchemaField], schema: ResultSchema
) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Return a function that reads all of `fields` (not nested) from a struct converted to a tuple."""
    names = schema.root.struct.__struct_fields__
    indexes = [names.index(field.attributes[0]) for field in fields]
    if indexes and indexes == list(range(indexes[0], indexes[-1] + 1)):
        return itemgetter(slice(indexes[0], indexes[-1] + 1))
    return lambda row: tuple([row[index] for index in indexes])


def _struct_reader(fields: Sequence[SchemaField], schema: ResultSchema) -> Callable[[Any], tuple[Any, ...]]:
    """Return a function that reads all of `fields` from a struct."""
    getters = [_getter(field) for field in fields]
    return lambda row: tuple([get(row) for get in getters])


def _getter(field: SchemaField) -> Callable[[Any], Any]:
    """Return a function that reads one field from a struct; None if an object on its path is null."""
    if len(field.attributes) == 1:
        return attrgetter(field.attributes[0])

    def get_nested(row: Any) -> Any:
        for attribute in field.attributes:
            if row is None:
                return None
            row = getattr(row, attribute)
        return row

    return get_nested


def _count_array(read: Callable[[Any], tuple[Any, ...]], count: int, rows: Sequence[Any]) -> NDArray[np.int64]:
    """Return the counts of all rows, shape (`count`, rows); `read` gives `count` values of one row."""
    shape = (len(rows), count)
    try:
        flat = np.fromiter(chain.from_iterable(map(read, rows)), np.int64, shape[0] * shape[1])
    except TypeError:  # a value is null
        values = (ABSENT if value is None else value for row in rows for value in read(row))
        flat = np.fromiter(values, np.int64, shape[0] * shape[1])
    return np.ascontiguousarray(flat.reshape(shape).T)


def _normalize(field: SchemaField, value: bool | str | None) -> Value:
    assert isinstance(field.item, Dimension)
    if field.item.boolean:
        return normalize_boolean(value)
    assert not isinstance(value, bool)
    return value.lower() if value is not None and field.path[-1] == _CASE_INSENSITIVE else value


def _named(field: SchemaField) -> Dimension | None:
    """Return the dimension if results have a field with the name of its id."""
    return field.item if isinstance(field.item, Dimension) and field.item.name_field else None


def _decimals(field: SchemaField, rows: Sequence[Any], path: str) -> list[Decimal | None]:
    get = _getter(field)
    values: list[Decimal | None] = []
    for index, row in enumerate(rows):
        raw = get(row)
        field_path = f"{path}.results[{index}]." + ".".join(field.path)
        value = None if raw is None else parse_decimal(bytes(raw), field_path)
        if value is None and field.required:
            raise WrongShape("a required field is missing or null", path=field_path)
        values.append(value)
    return values


def _known_extras(rows: Sequence[Any], schema: ResultSchema) -> dict[int, Fields]:
    extras: dict[int, Fields] = {}
    for name, attribute in schema.extras.items():
        for index, raw in enumerate(map(attrgetter(attribute), rows)):
            if raw is not None and not is_null(bytes(raw)):
                extras.setdefault(index, {})[name] = raw
    return extras


def _object_text(fields: Fields) -> str:
    """Return a JSON object with the fields by name: a page read in another way has the same text."""
    parts = []
    for name, raw in sorted(fields.items()):
        text = bytes(raw)
        with suppress(msgspec.ValidationError):  # a number out of range is valid JSON: its text is kept
            msgspec.json.decode(text)
        parts.append(f"{msgspec.json.encode(name).decode()}:{text.decode()}")
    return "{" + ",".join(parts) + "}"
