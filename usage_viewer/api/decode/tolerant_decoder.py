"""The slow, tolerant bucket decoder: it keeps unknown fields and reports the JSON path of an error.

It reads a bucket value by value and is used when the typed decoder of the schema fails.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from usage_viewer.api.decode.json_values import excerpt, is_null, parse_count, parse_dimension
from usage_viewer.api.decode.schema import ResultSchema, SchemaField, SchemaObject
from usage_viewer.domain.catalog import Dimension, Kind
from usage_viewer.domain.network_errors import WrongShape

Fields = dict[str, msgspec.Raw]
"""The fields of a JSON object, by name, as raw JSON text."""

_OBJECT = msgspec.json.Decoder(Fields)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class TolerantBucket:
    """A decoded bucket; `start` and `end` are epoch seconds."""

    start: int
    end: int | None
    rows: list[Any]  # structs of the schema
    extras: dict[int, Fields]  # row number -> its unknown fields that are not null
    unknown: set[str]  # the names of all unknown fields, null ones too


def decode_bucket(raw: msgspec.Raw, schema: ResultSchema, path: str) -> TolerantBucket:
    """Decode one bucket of a usage or costs page; `path` is its place in the page, such as `data[3]`.

    The older field name `result` is accepted for `results`. Raises WrongShape with the JSON path of the invalid
    value, and msgspec.DecodeError or UnicodeDecodeError for text that is not JSON.
    """
    fields = _decode_object(bytes(raw), path)
    if "start_time" not in fields:
        raise WrongShape("a required field is missing", path=f"{path}.start_time")
    start = parse_count(bytes(fields["start_time"]), f"{path}.start_time")
    end = None
    if "end_time" in fields and not is_null(bytes(fields["end_time"])):
        end = parse_count(bytes(fields["end_time"]), f"{path}.end_time")
    name = "result" if "results" not in fields and "result" in fields else "results"
    results_path = f"{path}.{name}"
    if name not in fields:
        raise WrongShape("a required field is missing", path=results_path)
    text = bytes(fields[name])
    if text[:1] != b"[":
        raise WrongShape(f"a list was expected, not {excerpt(text)}", path=results_path)
    rows: list[Any] = []
    extras: dict[int, Fields] = {}
    known, unknown = {*schema.root.children, "object"}, set[str]()
    for index, item in enumerate(_LIST.decode(text)):
        row_path = f"{results_path}[{index}]"
        result = _decode_object(bytes(item), row_path)
        rows.append(_build_struct(schema.root, result, row_path))
        new_names = result.keys() - known
        unknown |= new_names
        row_extras = {key: value for key, value in result.items() if key in new_names and not is_null(bytes(value))}
        if row_extras:
            extras[index] = row_extras
    return TolerantBucket(start, end, rows, extras, unknown)


def _decode_object(text: bytes, path: str) -> Fields:
    if text[:1] != b"{":
        raise WrongShape(f"an object was expected, not {excerpt(text)}", path=path)
    return _OBJECT.decode(text)


def _build_struct(schema: SchemaObject, fields: Fields, path: str) -> msgspec.Struct:
    values: dict[str, Any] = {}
    for name, (attribute, child) in schema.children.items():
        child_path = f"{path}.{name}"
        raw = fields.get(name)
        text = None if raw is None else bytes(raw)
        if text is None or is_null(text):
            if child.required:
                word = "missing" if text is None else "null"
                raise WrongShape(f"a required field is {word}", path=child_path)
        elif isinstance(child, SchemaObject):
            values[attribute] = _build_struct(child, _decode_object(text, child_path), child_path)
        else:
            values[attribute] = _field_value(child, raw, text, child_path)
    return schema.struct(**values)


def _field_value(field: SchemaField, raw: msgspec.Raw | None, text: bytes, path: str) -> Any:
    if isinstance(field.item, Dimension):
        return parse_dimension(text)
    return raw if field.item.kind is Kind.DECIMAL else parse_count(text, path)
