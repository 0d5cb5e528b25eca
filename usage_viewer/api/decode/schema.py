"""The form of a dataset's results as msgspec structs, built from the dataset's entry."""

import re
import threading
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from usage_viewer.domain.catalog import Dataset, Dimension, Kind, Metric
from usage_viewer.domain.figures import INT64_MAX

Count = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]

ABSENT = -1
"""Stands in a struct for a count that the answer doesn't hold: no count is negative."""

MAX_EXTRAS = 64
"""More unknown fields than so many are read by the careful way only."""

_IGNORED = "object"
_LEARNT = re.compile(r"[\w .:-]{1,100}")  # names with other signs are left to the careful way


@dataclass(frozen=True, slots=True)
class Leaf:
    """A dimension or metric: where it stands in the JSON, and under which attributes in the struct."""

    item: Dimension | Metric
    path: tuple[str, ...]
    attributes: tuple[str, ...]

    @property
    def required(self) -> bool:
        return isinstance(self.item, Metric) and self.item.required


@dataclass(frozen=True)
class Node:
    """An object of the JSON: its struct, and for each field its attribute and what is in it."""

    struct: type[msgspec.Struct]
    children: dict[str, tuple[str, "Leaf | Node"]]
    required: bool


@dataclass(frozen=True)
class Shape:
    """What a result of one dataset looks like; `extras` are unknown fields seen so far, kept as they are."""

    root: Node
    dimensions: tuple[Leaf, ...]
    counts: tuple[Leaf, ...]
    decimals: tuple[Leaf, ...]
    extras: dict[str, str]  # name in the JSON -> attribute
    decoder: msgspec.json.Decoder[Any]  # of one bucket


class WireBucket(msgspec.Struct, gc=False):
    """A bucket in the usual form; each shape has its own with typed results."""

    start_time: Count
    results: list[Any]
    end_time: Count | None = None


class Shapes:
    """The present shape of one dataset; it learns unknown fields, so that the next bucket is read fast."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._lock = threading.Lock()
        self.now = _shape(dataset, ())

    def learn(self, names: set[str]) -> None:
        """From now on `names` are known as extra fields."""
        with self._lock:
            known = tuple(self.now.extras)
            new = tuple(sorted(name for name in names - set(known) if _LEARNT.fullmatch(name)))
            if new and len(known) + len(new) <= MAX_EXTRAS:
                self.now = _shape(self._dataset, (*known, *new))


_Key = tuple[str, tuple[Dimension, ...], tuple[Metric, ...]]
_built: dict[_Key, Shapes] = {}
_building = threading.Lock()


def shapes_of(dataset: Dataset) -> Shapes:
    """Built once for each dataset."""
    key = (dataset.name, dataset.dimensions, dataset.metrics)
    with _building:
        if key not in _built:
            _built[key] = Shapes(dataset)
        return _built[key]


def _shape(dataset: Dataset, extras: tuple[str, ...]) -> Shape:
    leaves: list[Leaf] = []
    items: list[Dimension | Metric] = [*dataset.dimensions, *dataset.metrics]
    placed = [(item.path or (item.name,), item) for item in items]
    names = {name: f"x{index}" for index, name in enumerate(extras)}
    root = _node("Result", placed, (), (), leaves, names)
    bucket = msgspec.defstruct("WireBucket", [("results", list[root.struct])], bases=(WireBucket,), kw_only=True)  # type: ignore[name-defined]
    metrics = [leaf for leaf in leaves if isinstance(leaf.item, Metric)]
    order = {item.name: index for index, item in enumerate(items)}
    return Shape(
        root=root,
        dimensions=tuple(
            sorted(
                (leaf for leaf in leaves if isinstance(leaf.item, Dimension)),
                key=lambda leaf: order[leaf.item.name],
            )
        ),
        counts=tuple(leaf for leaf in metrics if not _is_decimal(leaf.item)),
        decimals=tuple(leaf for leaf in metrics if _is_decimal(leaf.item)),
        extras=names,
        decoder=msgspec.json.Decoder(bucket),
    )


def _node(
    name: str,
    placed: list[tuple[tuple[str, ...], Dimension | Metric]],
    path: tuple[str, ...],
    attributes: tuple[str, ...],
    leaves: list[Leaf],
    extras: dict[str, str],
) -> Node:
    """The struct of the object at `path`, with the items in it; `leaves` collects all of them."""
    depth = len(path)
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    children: dict[str, tuple[str, Leaf | Node]] = {}
    for index, child in enumerate(dict.fromkeys(where[depth] for where, _ in placed)):
        attribute = f"f{index}"
        here = (*attributes, attribute)
        within = [(where, item) for where, item in placed if where[depth] == child]
        if len(within) == 1 and len(within[0][0]) == depth + 1:
            leaf = Leaf(within[0][1], within[0][0], here)
            leaves.append(leaf)
            children[child] = (attribute, leaf)
            fields.append(_field(attribute, leaf))
        else:
            node = _node(f"{name}_{attribute}", within, (*path, child), here, leaves, {})
            children[child] = (attribute, node)
            fields.append((attribute, node.struct) if node.required else (attribute, node.struct | None, None))
    fields += [(attribute, msgspec.Raw, None) for attribute in extras.values()]
    rename = {attribute: child for child, (attribute, _) in children.items()}
    rename |= {attribute: child for child, attribute in extras.items()}
    top = not path
    if top and _IGNORED not in children:
        fields.append(("ignored", msgspec.Raw, None))
        rename["ignored"] = _IGNORED
    struct = msgspec.defstruct(name, fields, rename=rename, forbid_unknown_fields=top, kw_only=True, gc=False)
    needed = any(child.required for _, child in children.values())
    return Node(struct, children, needed)


def _field(attribute: str, leaf: Leaf) -> tuple[str, Any] | tuple[str, Any, Any]:
    item = leaf.item
    if isinstance(item, Dimension):
        return (attribute, bool | str | None, None) if item.boolean else (attribute, str | None, None)
    if _is_decimal(item):
        return (attribute, msgspec.Raw, None)
    return (attribute, Count) if item.required else (attribute, Count | None, ABSENT)


def _is_decimal(item: Dimension | Metric) -> bool:
    return isinstance(item, Metric) and item.kind is Kind.DECIMAL
