"""Gathers rows (structs of a shape) into the columns of a `Batch`."""

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

from usage_viewer.api.decode.json_values import boolean_value, decimal_of, is_null
from usage_viewer.api.decode.schema import ABSENT, Leaf, Shape
from usage_viewer.api.decode.tolerant_decoder import Fields
from usage_viewer.domain.batch import Batch
from usage_viewer.domain.catalog import Dataset, Dimension
from usage_viewer.domain.errors import WrongShape
from usage_viewer.domain.figures import NumberColumn
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view import Value

_STEP = 512  # rows turned into columns at a time: small buckets together; large ones while they are in the cache

_PAUSE_EVERY, _PAUSE = 0.003, 1e-5
"""Seconds. numpy lets go of the interpreter's lock for a moment in each step, and has it again before a thread that
waits has woken up; and those moments keep that thread from asking for the lock as it else would after 5 ms. Without
pauses the window stood still for 140 ms while 50 MB were decoded, with them for 6.
"""

_CASELESS = "currency"  # "usd" here and "USD" there are one


class _Ids(dict[tuple[Any, ...], int]):
    """Numbers combinations as they come."""

    def __missing__(self, key: tuple[Any, ...]) -> int:
        self[key] = number = len(self)
        return number


class Columns:
    """Takes buckets one after another; `batch()` gives all of them."""

    def __init__(self, dataset: Dataset, width: BucketWidth, shape: Shape) -> None:
        self._dataset, self._width, self._shape = dataset, width, shape
        self._starts: list[int] = []
        self._sizes: list[int] = []
        self._rows = 0
        self._waiting: list[Any] = []
        self._ids = _Ids()
        self._combination: list[NDArray[np.int32]] = []
        self._counts: list[NDArray[np.int64]] = []  # one row for each metric in each
        self._decimals: dict[str, list[Decimal | None]] = {leaf.item.name: [] for leaf in shape.decimals}
        self._extra: dict[int, str] = {}
        self._paused_at = time.perf_counter()

    def add(
        self, start: int, rows: list[Any], shape: Shape, path: str, extras: dict[int, Fields] | None = None
    ) -> None:
        """The bucket that begins at `start`; `extras` are its unknown fields, if they aren't in the structs."""
        if shape is not self._shape:
            self._flush()  # structs of different shapes are not mixed in one step
            self._shape = shape
        for leaf in shape.decimals:
            self._decimals[leaf.item.name] += _decimals(leaf, rows, path)
        for index, fields in (extras if extras is not None else _known_extras(rows, shape)).items():
            self._extra[self._rows + index] = _object_text(fields)
        self._starts.append(start)
        self._sizes.append(len(rows))
        self._rows += len(rows)
        self._waiting += rows
        if len(self._waiting) >= _STEP:
            self._flush()

    def batch(self, grouped: tuple[str, ...]) -> Batch:
        self._flush()
        starts = np.array(self._starts, dtype=np.int64)
        combinations, numbers = self._cleaned()
        figures = self._figures()
        return Batch(
            dataset=self._dataset.name,
            width=self._width,
            starts=np.sort(starts),
            grouped=grouped,
            combinations=list(combinations),
            bucket=np.repeat(starts, np.array(self._sizes, dtype=np.int64)),
            combination=numbers[_joined(self._combination, np.int32)],
            metrics={metric.name: figures[metric.name] for metric in self._dataset.metrics},
            extra=self._extra,
        )

    def _cleaned(self) -> tuple[_Ids, NDArray[np.int32]]:
        """The combinations in their final form, and for each as it came the number of its final form."""
        clean = _Ids()
        leaves = self._shape.dimensions
        numbers = [
            clean[tuple(_cleaned(leaf, value) for leaf, value in zip(leaves, key, strict=True))]
            for key in self._ids
        ]
        return clean, np.array(numbers, dtype=np.int32)

    def _figures(self) -> dict[str, NumberColumn]:
        figures: dict[str, NumberColumn] = {}
        counts = np.concatenate(self._counts, axis=1) if self._counts else None
        for index, leaf in enumerate(self._shape.counts):
            column = np.empty(0, np.int64) if counts is None else counts[index]
            missing = column == ABSENT
            if missing.any():
                column[missing] = 0
            figures[leaf.item.name] = NumberColumn(column, missing if missing.any() else None)
        for name, listed in self._decimals.items():
            values = np.empty(len(listed), dtype=object)
            values[:] = [Decimal(0) if value is None else value for value in listed]
            gone = np.array([value is None for value in listed], dtype=np.bool_)
            figures[name] = NumberColumn(values, gone if gone.any() else None)
        return figures

    def _flush(self) -> None:
        shape = self._shape
        flat = _is_flat((*shape.dimensions, *shape.counts))
        reader = _picker if flat else _reader
        key, counts = reader(shape.dimensions, shape), reader(shape.counts, shape)
        for first in range(0, len(self._waiting), _STEP):
            rows: list[Any] = self._waiting[first : first + _STEP]
            if flat:
                rows = list(map(astuple, rows))  # read from quicker than structs
            self._counts.append(_counts(counts, len(shape.counts), rows))
            numbers = map(self._ids.__getitem__, map(key, rows))
            self._combination.append(np.fromiter(numbers, np.int32, len(rows)))
            self._pause()
        self._waiting = []

    def _pause(self) -> None:
        """Lets other threads have the interpreter's lock, if it is time to."""
        if time.perf_counter() - self._paused_at > _PAUSE_EVERY:
            time.sleep(_PAUSE)
            self._paused_at = time.perf_counter()


def _joined(parts: list[NDArray[Any]], dtype: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def _is_flat(leaves: Sequence[Leaf]) -> bool:
    return all(len(leaf.attributes) == 1 for leaf in leaves)


def _picker(leaves: Sequence[Leaf], shape: Shape) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Reads all of `leaves`, which are not nested, from a struct made a tuple."""
    fields = shape.root.struct.__struct_fields__
    places = [fields.index(leaf.attributes[0]) for leaf in leaves]
    if places and places == list(range(places[0], places[-1] + 1)):
        return itemgetter(slice(places[0], places[-1] + 1))
    return lambda row: tuple([row[place] for place in places])


def _reader(leaves: Sequence[Leaf], shape: Shape) -> Callable[[Any], tuple[Any, ...]]:
    """Reads all of `leaves` from a struct."""
    getters = [_get(leaf) for leaf in leaves]
    return lambda row: tuple([get(row) for get in getters])


def _get(leaf: Leaf) -> Callable[[Any], Any]:
    """Reads a leaf from a row; None where an object on the way is null."""
    if len(leaf.attributes) == 1:
        return attrgetter(leaf.attributes[0])

    def nested(row: Any) -> Any:
        for attribute in leaf.attributes:
            if row is None:
                return None
            row = getattr(row, attribute)
        return row

    return nested


def _counts(read: Callable[[Any], tuple[Any, ...]], count: int, rows: Sequence[Any]) -> NDArray[np.int64]:
    """A row of numbers for each of the `count` leaves that `read` gives of a row."""
    shape = (len(rows), count)
    try:
        flat = np.fromiter(chain.from_iterable(map(read, rows)), np.int64, shape[0] * shape[1])
    except TypeError:  # a null among them
        values = (ABSENT if value is None else value for row in rows for value in read(row))
        flat = np.fromiter(values, np.int64, shape[0] * shape[1])
    return np.ascontiguousarray(flat.reshape(shape).T)


def _cleaned(leaf: Leaf, value: bool | str | None) -> Value:
    assert isinstance(leaf.item, Dimension)
    if leaf.item.boolean:
        return boolean_value(value)
    assert not isinstance(value, bool)
    return value.lower() if value is not None and leaf.path[-1] == _CASELESS else value


def _decimals(leaf: Leaf, rows: Sequence[Any], path: str) -> list[Decimal | None]:
    get = _get(leaf)
    values: list[Decimal | None] = []
    for index, row in enumerate(rows):
        raw = get(row)
        where = f"{path}.results[{index}]." + ".".join(leaf.path)
        value = None if raw is None else decimal_of(bytes(raw), where)
        if value is None and leaf.required:
            raise WrongShape("a required field is missing or null", path=where)
        values.append(value)
    return values


def _known_extras(rows: Sequence[Any], shape: Shape) -> dict[int, Fields]:
    found: dict[int, Fields] = {}
    for name, attribute in shape.extras.items():
        for index, raw in enumerate(map(attrgetter(attribute), rows)):
            if raw is not None and not is_null(bytes(raw)):
                found.setdefault(index, {})[name] = raw
    return found


def _object_text(fields: Fields) -> str:
    parts = []
    for name, raw in fields.items():
        text = bytes(raw)
        with suppress(msgspec.ValidationError):  # a number beyond any range is kept as it is written
            msgspec.json.decode(text)
        parts.append(f"{msgspec.json.encode(name).decode()}:{text.decode()}")
    return "{" + ",".join(parts) + "}"
