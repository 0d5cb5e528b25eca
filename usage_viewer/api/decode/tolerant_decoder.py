"""The careful way to read a bucket: value by value, so that an error names its place and unknown fields are kept.

Slower than the typed structs; used for buckets that those don't take.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from usage_viewer.api.decode.json_values import count_of, dimension_value, is_null, shown
from usage_viewer.api.decode.schema import Leaf, Node, Shape
from usage_viewer.domain.catalog import Dimension, Kind
from usage_viewer.domain.errors import WrongShape

Fields = dict[str, msgspec.Raw]

_OBJECT = msgspec.json.Decoder(Fields)
_OBJECTS = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class TolerantBucket:
    start: int
    end: int | None
    rows: list[Any]  # structs of the shape
    extras: dict[int, Fields]  # row -> unknown fields that are not null
    unknown: set[str]  # names of all unknown fields


def read_bucket(raw: msgspec.Raw, shape: Shape, path: str) -> TolerantBucket:
    """Raises WrongShape with the path of what is wrong, or what msgspec raises for a text that is not JSON."""
    fields = _object(bytes(raw), path)
    if "start_time" not in fields:
        raise WrongShape("a required field is missing", path=f"{path}.start_time")
    start = count_of(bytes(fields["start_time"]), f"{path}.start_time")
    end = None
    if "end_time" in fields and not is_null(bytes(fields["end_time"])):
        end = count_of(bytes(fields["end_time"]), f"{path}.end_time")
    name = "result" if "results" not in fields and "result" in fields else "results"
    here = f"{path}.{name}"
    if name not in fields:
        raise WrongShape("a required field is missing", path=here)
    text = bytes(fields[name])
    if text[:1] != b"[":
        raise WrongShape(f"a list was expected, not {shown(text)}", path=here)
    rows: list[Any] = []
    extras: dict[int, Fields] = {}
    known, unknown = {*shape.root.children, "object"}, set[str]()
    for index, item in enumerate(_OBJECTS.decode(text)):
        result = _object(bytes(item), f"{here}[{index}]")
        rows.append(_built(shape.root, result, f"{here}[{index}]"))
        new = result.keys() - known
        unknown |= new
        kept = {key: value for key, value in result.items() if key in new and not is_null(bytes(value))}
        if kept:
            extras[index] = kept
    return TolerantBucket(start, end, rows, extras, unknown)


def _object(text: bytes, path: str) -> Fields:
    if text[:1] != b"{":
        raise WrongShape(f"an object was expected, not {shown(text)}", path=path)
    return _OBJECT.decode(text)


def _built(node: Node, fields: Fields, path: str) -> msgspec.Struct:
    values: dict[str, Any] = {}
    for name, (attribute, child) in node.children.items():
        here = f"{path}.{name}"
        raw = fields.get(name)
        text = None if raw is None else bytes(raw)
        if text is None or is_null(text):
            if child.required:
                word = "missing" if text is None else "null"
                raise WrongShape(f"a required field is {word}", path=here)
        elif isinstance(child, Node):
            values[attribute] = _built(child, _object(text, here), here)
        else:
            values[attribute] = _value(child, raw, text, here)
    return node.struct(**values)


def _value(leaf: Leaf, raw: msgspec.Raw | None, text: bytes, path: str) -> Any:
    if isinstance(leaf.item, Dimension):
        return dimension_value(text)
    return raw if leaf.item.kind is Kind.DECIMAL else count_of(text, path)
