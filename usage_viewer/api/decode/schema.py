"""Builds msgspec structs for the results of a dataset from the dataset's catalog entry."""

import re
import threading
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from usage_viewer.domain.catalog import Dataset, Dimension, Kind, Metric
from usage_viewer.domain.figures import INT64_MAX

Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]

ABSENT = -1
"""Marks a count that the response does not contain. A real count is never negative."""

MAX_EXTRAS = 64
"""The largest number of unknown fields in a schema. Buckets with more are read by the tolerant decoder."""

_IGNORED = "object"
_ALLOWED_NAME = re.compile(r"[\w .:-]{1,100}")  # the tolerant decoder reads fields with other names


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A dimension or metric, with its path in the JSON and its path of attributes in the struct."""

    item: Dimension | Metric
    path: tuple[str, ...]
    attributes: tuple[str, ...]

    @property
    def required(self) -> bool:
        """Whether each result must contain the field."""
        return isinstance(self.item, Metric) and self.item.required


@dataclass(frozen=True)
class SchemaObject:
    """A JSON object: its struct, and for each JSON name the struct's attribute and the child's schema."""

    struct: type[msgspec.Struct]
    children: dict[str, tuple[str, "SchemaField | SchemaObject"]]
    required: bool


@dataclass(frozen=True)
class ResultSchema:
    """The schema of one result (row) of a dataset, including the unknown fields seen so far."""

    root: SchemaObject
    dimensions: tuple[SchemaField, ...]
    counts: tuple[SchemaField, ...]
    decimals: tuple[SchemaField, ...]
    extras: dict[str, str]  # unknown fields: JSON name -> attribute, which holds the raw JSON text
    decoder: msgspec.json.Decoder[Any]  # decodes one bucket


class TypedBucket(msgspec.Struct, gc=False):
    """A bucket in the documented form. Each schema derives a class whose results have the dataset's type."""

    start_time: Count
    results: list[Any]
    end_time: Count | None = None


class AdaptiveSchema:
    """The schema of one dataset, extended by unknown fields as they appear. Safe to use from several threads.

    An extended schema lets the fast decoder read later buckets with the same unknown fields.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._lock = threading.Lock()
        self.current = _build_schema(dataset, ())

    def add_extras(self, names: set[str]) -> None:
        """Add unknown fields to `current`, unless it would then have more than `MAX_EXTRAS` of them."""
        with self._lock:
            known = tuple(self.current.extras)
            new = tuple(sorted(name for name in names - set(known) if _ALLOWED_NAME.fullmatch(name)))
            if new and len(known) + len(new) <= MAX_EXTRAS:
                self.current = _build_schema(self._dataset, (*known, *new))


_Key = tuple[str, tuple[Dimension, ...], tuple[Metric, ...]]
_schemas: dict[_Key, AdaptiveSchema] = {}
_schemas_lock = threading.Lock()


def schema_for(dataset: Dataset) -> AdaptiveSchema:
    """Return the schema of `dataset`, built by the first call."""
    key = (dataset.name, dataset.dimensions, dataset.metrics)
    with _schemas_lock:
        if key not in _schemas:
            _schemas[key] = AdaptiveSchema(dataset)
        return _schemas[key]


def _build_schema(dataset: Dataset, extras: tuple[str, ...]) -> ResultSchema:
    fields: list[SchemaField] = []
    items: list[Dimension | Metric] = [*dataset.dimensions, *dataset.metrics]
    items_by_path = [(item.path or (item.name,), item) for item in items]
    attributes = {name: f"x{index}" for index, name in enumerate(extras)}
    root = _build_object("Result", items_by_path, (), (), fields, attributes)
    bucket = msgspec.defstruct("TypedBucket", [("results", list[root.struct])], bases=(TypedBucket,), kw_only=True)  # type: ignore[name-defined]
    metrics = [field for field in fields if isinstance(field.item, Metric)]
    order = {item.name: index for index, item in enumerate(items)}
    return ResultSchema(
        root=root,
        dimensions=tuple(
            sorted(
                (field for field in fields if isinstance(field.item, Dimension)),
                key=lambda field: order[field.item.name],
            )
        ),
        counts=tuple(field for field in metrics if not _is_decimal(field.item)),
        decimals=tuple(field for field in metrics if _is_decimal(field.item)),
        extras=attributes,
        decoder=msgspec.json.Decoder(bucket),
    )


def _build_object(
    name: str,
    items_by_path: list[tuple[tuple[str, ...], Dimension | Metric]],
    path: tuple[str, ...],
    attributes: tuple[str, ...],
    fields: list[SchemaField],
    extras: dict[str, str],
) -> SchemaObject:
    """Build the struct of the JSON object at `path` from the items below it; append its fields to `fields`."""
    depth = len(path)
    struct_fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    children: dict[str, tuple[str, SchemaField | SchemaObject]] = {}
    for index, child_name in enumerate(dict.fromkeys(item_path[depth] for item_path, _ in items_by_path)):
        attribute = f"f{index}"
        child_attributes = (*attributes, attribute)
        below = [(item_path, item) for item_path, item in items_by_path if item_path[depth] == child_name]
        if len(below) == 1 and len(below[0][0]) == depth + 1:
            field = SchemaField(below[0][1], below[0][0], child_attributes)
            fields.append(field)
            children[child_name] = (attribute, field)
            struct_fields.append(_struct_field(attribute, field))
        else:
            child = _build_object(f"{name}_{attribute}", below, (*path, child_name), child_attributes, fields, {})
            children[child_name] = (attribute, child)
            struct_fields.append(
                (attribute, child.struct) if child.required else (attribute, child.struct | None, None)
            )
    struct_fields += [(attribute, msgspec.Raw, None) for attribute in extras.values()]
    rename = {attribute: child_name for child_name, (attribute, _) in children.items()}
    rename |= {attribute: extra for extra, attribute in extras.items()}
    is_root = not path
    if is_root and _IGNORED not in children:
        struct_fields.append(("ignored", msgspec.Raw, None))
        rename["ignored"] = _IGNORED
    struct = msgspec.defstruct(
        name, struct_fields, rename=rename, forbid_unknown_fields=is_root, kw_only=True, gc=False
    )
    required = any(child.required for _, child in children.values())
    return SchemaObject(struct, children, required)


def _struct_field(attribute: str, field: SchemaField) -> tuple[str, Any] | tuple[str, Any, Any]:
    item = field.item
    if isinstance(item, Dimension):
        return (attribute, bool | str | None, None) if item.boolean else (attribute, str | None, None)
    if _is_decimal(item):
        return (attribute, msgspec.Raw, None)
    return (attribute, Count) if item.required else (attribute, Count | None, ABSENT)


def _is_decimal(item: Dimension | Metric) -> bool:
    return isinstance(item, Metric) and item.kind is Kind.DECIMAL
