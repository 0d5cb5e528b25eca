"""Says which parts of a stored view this version, or the view's dataset, does not have."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from usage_viewer.app.settings.view_serialization import serialized_view
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.view import ViewState

_LISTED: Final = 5
"""Names that a sentence lists before it counts the rest."""
_LONGEST: Final = 40
"""Characters of a name that a sentence shows."""
_EXPLAINED: Final = {"dataset", "grouping", "filters", "columns", "order", "range", "zone", "profiles"}


def ignored_parts(stored: Mapping[str, Any], view: ViewState) -> tuple[str, ...]:
    """Return a sentence for each kind of part in `stored` (decoded JSON) that `view`, restored from it, lacks.

    The two are compared as JSON, so that parts which only a later version knows are found as well. `profiles` is
    left to the caller.
    """
    restored = serialized_view(view)
    label = view.dataset.label
    sentences = []
    if stored.get("dataset", restored["dataset"]) != restored["dataset"]:
        name = _quoted([stored["dataset"]])
        sentences.append(f"This version has no dataset called {name}; {label} is shown instead.")
    if lost := _lost(stored, restored, "grouping"):
        sentences.append(f"{label} can't be grouped by {_quoted(lost)}; shown without it.")
    if lost := _lost_filters(stored, view):
        sentences.append(f"{label} can't be filtered as saved by {_quoted(lost)}; more usage is shown.")
    if lost := _lost(stored, restored, "columns"):
        sentences.append(f"{label} has no figure called {_quoted(lost)}; shown without it.")
    if lost := _lost_keys(stored, view):
        sentences.append(f"The table can't be sorted by {_quoted(lost)}.")
    if "range" in stored and not _is_range(stored["range"], view.range):
        sentences.append("The range of this view is not known to this version; another range is shown.")
    if stored.get("zone", view.zone) != view.zone:
        sentences.append(f"The time zone {_quoted([stored['zone']])} is not known here; {view.zone} is used.")
    others = [name for name, part in stored.items() if name not in _EXPLAINED and restored.get(name, ...) != part]
    if others:
        sentences.append(f"This version can't use these parts of the view: {_quoted(others)}.")
    return tuple(sentences)


def _lost(stored: Mapping[str, Any], restored: Mapping[str, Any], part: str) -> list[object]:
    return [item for item in _items(stored, part) if item not in restored[part]]


def _lost_filters(stored: Mapping[str, Any], view: ViewState) -> list[object]:
    """Return the dimensions of the stored filters that the view does not have with the same values."""
    own = [
        (item.dimension, item.values, item.exclude) for item in view.filters
    ]  # no set: stored parts may be lists
    lost = []
    for item in _items(stored, "filters"):
        known = isinstance(item, dict) and isinstance(item.get("values"), list)
        values = frozenset(value for value in item["values"] if not isinstance(value, list | dict)) if known else ()
        if not known or (item.get("dimension"), values, item.get("exclude", False)) not in own:
            lost.append(item.get("dimension", item) if isinstance(item, dict) else item)
    return lost


def _lost_keys(stored: Mapping[str, Any], view: ViewState) -> list[object]:
    own = {key.column.text for key in view.order}
    columns = [item.get("column", item) if isinstance(item, dict) else item for item in _items(stored, "order")]
    return [column for column in columns if not isinstance(column, str) or column not in own]


def _is_range(stored: object, chosen: DateRange) -> bool:
    try:
        return msgspec.convert(stored, DateRange) == chosen
    except (msgspec.ValidationError, InputError, OverflowError):
        return False


def _items(stored: Mapping[str, Any], part: str) -> list[Any]:
    """Return the items of a part; a part that is not a list counts as one item that is lost."""
    items = stored.get(part, [])
    return items if isinstance(items, list) else [items]


def _quoted(names: Iterable[object]) -> str:
    """Return the names in quotation marks, cut and safe to show, as a list in words."""
    texts = list(dict.fromkeys(_short(visible(str(name)[: 2 * _LONGEST])) for name in names))
    if len(texts) > _LISTED:
        texts = [*texts[:_LISTED], f"{len(texts) - _LISTED} more"]
        return f"{', '.join(f'“{text}”' for text in texts[:-1])} and {texts[-1]}"
    marked = [f"“{text}”" for text in texts]
    return " and ".join(text for text in (", ".join(marked[:-1]), marked[-1]) if text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
