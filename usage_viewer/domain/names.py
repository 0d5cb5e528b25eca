"""Holds the known names of projects, users and API keys, and formats the values of dimensions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.view_parts import NOT_AVAILABLE, NOT_AVAILABLE_TEXT, Value

MOST_NAMES: Final = 1_000_000
"""Names that a file may have: a million take some 600 MB in memory."""

LONGEST_NAME: Final = 4096
"""Characters that a name or an id in a file may have."""

NEVER: Final = 0
"""The `last_used` of a key that was never used."""


@dataclass(frozen=True, slots=True)
class Name:
    """Holds the name of an id.

    `kind` is the `names` of the id's dimension. `seen` (epoch seconds) is when one of the server's lists last
    contained the id. `last_used` (epoch seconds) is when that list says the key, or any key of the user, was last
    used: `NEVER`, or None if the list doesn't say.
    """

    kind: str
    id: str
    name: str
    seen: int = 0
    deleted: bool = False
    last_used: int | None = None


@dataclass(frozen=True, slots=True)
class NamePage:
    """Holds what one response to a request for names has, or tells why the next one is late.

    `finished` identifies a list of which this was the last page; `notice` is a line for the status bar.
    """

    names: Sequence[Name] = ()
    finished: str = ""
    notice: str = ""

    def __iter__(self) -> Iterator[Name]:
        return iter(self.names)


@dataclass(frozen=True)
class Names:
    """Holds all known names by kind and id.

    Labels of equal names of one kind get the end of their id, as short as it is unique.
    """

    by_id: Mapping[tuple[str, str], Name] = field(default_factory=dict)
    _labels: dict[tuple[str, str], str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        ids: dict[tuple[str, str], list[str]] = {}
        for name in self.by_id.values():
            ids.setdefault((name.kind, name.name), []).append(name.id)
        endings = {key: _Endings(same) for key, same in ids.items() if len(same) > 1}
        for key, name in self.by_id.items():
            same = endings.get((name.kind, name.name))
            label = name.name if same is None else f"{name.name} ({same.shortest(name.id)})"
            self._labels[key] = visible(label + (" (deleted)" if name.deleted else ""))

    @classmethod
    def of(cls, names: Iterable[Name]) -> "Names":
        """Return the collection of `names`."""
        return cls({(name.kind, name.id): name for name in names})

    def label(self, dimension: Dimension, value: Value) -> str:
        """Return the displayed text of a value: its name if known, otherwise the value.

        It is `dimension.none` for null, and "(not available)" where the API does not grant the dimension. Invisible
        and bidirectional characters are escaped: names come from outside.
        """
        if value is None:
            return dimension.none
        if value == NOT_AVAILABLE:
            return NOT_AVAILABLE_TEXT
        if dimension.boolean:
            return {"true": "yes", "false": "no"}.get(value) or visible(value)
        if dimension.capitals:
            return visible(value.upper())
        if dimension.labels:
            return dict(dimension.labels).get(value) or visible(value)
        return self._labels.get((dimension.names, value)) or visible(value)

    def last_used(self, dimension: Dimension, value: Value) -> int | None:
        """Return when an API key, or any key of a user, was last used; see `Name`. None also for unknown ids."""
        name = None if value is None else self.by_id.get((dimension.names, value))
        return None if name is None else name.last_used

    def matches(self, dimension: Dimension, value: Value, text: str) -> bool:
        """Report whether a value's label or id contains `text`, ignoring case."""
        searched = text.casefold()
        return searched in self.label(dimension, value).casefold() or searched in (value or "").casefold()


class _Endings:
    """Counts the ends of the ids that share a name, so that each is shortened in constant time."""

    def __init__(self, ids: Sequence[str]) -> None:
        self._counts = {length: Counter(id[-length:] for id in ids) for length in (4, 6, 8)}

    def shortest(self, own: str) -> str:
        """Return the shortest end of an id that no other id has; the whole id if there is none."""
        for length, counts in self._counts.items():
            if counts[own[-length:]] == 1:
                return f"…{own[-length:]}"
        return own
