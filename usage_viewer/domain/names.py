"""Names of projects, users and API keys, as far as they are known, and how a dimension's value is shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from usage_viewer.domain.catalog import Dimension
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.view import NONE_TEXT, Value


@dataclass(frozen=True, slots=True)
class Name:
    """An id's name. `kind` is a dimension's `names`; `seen` (epoch seconds) is when a list last held it."""

    kind: str
    id: str
    name: str
    seen: int = 0
    deleted: bool = False


@dataclass(frozen=True)
class Names:
    """All known names. Equal names of one kind are told apart by the end of their ids, as long as need be."""

    by_id: Mapping[tuple[str, str], Name] = field(default_factory=dict)
    _labels: dict[tuple[str, str], str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        ids: dict[tuple[str, str], list[str]] = {}
        for name in self.by_id.values():
            ids.setdefault((name.kind, name.name), []).append(name.id)
        for key, name in self.by_id.items():
            label = f"{name.name}{_apart(name.id, ids[name.kind, name.name])}"
            self._labels[key] = visible(label + (" (deleted)" if name.deleted else ""))

    @classmethod
    def of(cls, names: Iterable[Name]) -> "Names":
        return cls({(name.kind, name.id): name for name in names})

    def label(self, dimension: Dimension, value: Value) -> str:
        """What is shown for a value: its name if there is one, else itself; "(none)" for null.

        Control characters and the like, which names from outside may hold, are written out in it.
        """
        if value is None:
            return NONE_TEXT
        if dimension.boolean:
            return {"true": "yes", "false": "no"}.get(value) or visible(value)
        return self._labels.get((dimension.names, value)) or visible(value)

    def matches(self, dimension: Dimension, value: Value, text: str) -> bool:
        """Whether a value's name or id contains `text`, case aside."""
        wanted = text.casefold()
        return wanted in self.label(dimension, value).casefold() or wanted in (value or "").casefold()


def _apart(own: str, ids: Sequence[str]) -> str:
    """What tells one id from others of the same name; nothing where there is no other."""
    if len(ids) == 1:
        return ""
    for length in (4, 6, 8):
        if sum(other[-length:] == own[-length:] for other in ids) == 1:
            return f" (…{own[-length:]})"
    return f" ({own})"
