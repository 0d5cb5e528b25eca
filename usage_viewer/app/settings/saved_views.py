"""Defines the saved views, a list of named views that the user edits, and the five that a first start has."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from usage_viewer.app.settings.ignored_parts import ignored_parts
from usage_viewer.app.settings.view_serialization import restored_view, serialized_view
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.key_masking import mask_keys
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey

LONGEST_NAME: Final = 60
MOST_VIEWS: Final = 200


@dataclass(frozen=True, slots=True)
class SavedView:
    """Holds a named view as decoded JSON, so that parts which only another version knows are kept.

    `id` never changes; the name can. The range of `stored` is a preset where the user chose one. `stored` has no
    organizations: a view is shown for those that are open.
    """

    id: str
    name: str
    stored: Mapping[str, Any]


SavedViews = tuple[SavedView, ...]


@dataclass(frozen=True, slots=True)
class OpenedView:
    """Holds a saved view as this version can show it, and a sentence for each part that it can't."""

    view: ViewState
    notes: tuple[str, ...]


def open_view(saved: SavedView, profiles: Iterable[str] = ()) -> OpenedView:
    """Return the view for the organizations with the ids `profiles`; none: the current one. Never raises."""
    view = restored_view({**saved.stored, "profiles": list(profiles)})
    return OpenedView(view, ignored_parts(saved.stored, view))


def new_view(name: str, view: ViewState) -> SavedView:
    """Return a saved view with a new id. What looks like an API key in its filters and search is masked."""
    stored = json.loads(json.dumps(serialized_view(view)))
    del stored["profiles"]
    return SavedView(secrets.token_hex(8), name, masked(stored))


def masked(part: Any) -> Any:
    """Return decoded JSON with everything masked that looks like an API key."""
    if isinstance(part, str):
        return mask_keys(part)
    if isinstance(part, Mapping):
        return {mask_keys(str(name)): masked(item) for name, item in part.items()}
    return [masked(item) for item in part] if isinstance(part, list) else part


# Edits of the list


def add(views: SavedViews, added: SavedView) -> SavedViews:
    """Return the list with a view at the end. Raises InputError for an invalid or taken name."""
    if len(views) >= MOST_VIEWS:
        raise InputError(title="There are too many saved views", hint=f"Remove some; {MOST_VIEWS} are possible.")
    return (*views, replace(added, name=check_name(added.name, views)))


def rename(views: SavedViews, id: str, name: str) -> SavedViews:
    """Return the list with another name for a view. Raises InputError for an invalid or taken name."""
    position = _position(views, id)
    name = check_name(name, [one for one in views if one.id != id])
    return _with_item(views, position, replace(views[position], name=name))


def replace_view(views: SavedViews, id: str, other: SavedView) -> SavedViews:
    """Return the list with the content of `other` under the name of a view.

    Raises InputError if it was removed meanwhile.
    """
    position = _position(views, id)
    return _with_item(views, position, replace(views[position], stored=other.stored))


def move(views: SavedViews, id: str, step: int) -> SavedViews:
    """Return the list with a view `step` places further down (up if negative), within the list.

    Raises InputError if it was removed meanwhile.
    """
    position = _position(views, id)
    others = [one for one in views if one.id != id]
    others.insert(min(max(position + step, 0), len(others)), views[position])
    return tuple(others)


def remove(views: SavedViews, id: str) -> SavedViews:
    """Return the list without a view; one that is already gone changes nothing."""
    return tuple(one for one in views if one.id != id)


def put_back(views: SavedViews, removed: SavedView, position: int) -> SavedViews:
    """Return the list with a removed view at its former position; its name gets a number if it is taken."""
    if any(one.id == removed.id for one in views):
        return views
    return (*views[:position], replace(removed, name=free_name(removed.name, views)), *views[position:])


def import_views(views: SavedViews, imported: Iterable[SavedView]) -> SavedViews:
    """Return the list with imported views at the end, each with an id of its own and a name that is not taken.

    Raises InputError if they are too many.
    """
    for one in imported:
        views = add(views, SavedView(secrets.token_hex(8), free_name(one.name, views), one.stored))
    return views


def find_view(views: SavedViews, name: str) -> SavedView:
    """Return the view with this name, if necessary in another case. Raises InputError if there is none."""
    plain = " ".join(name.split())
    for one in (*(one for one in views if one.name == plain), *views):
        if one.name.casefold() == plain.casefold():
            return one
    names = ", ".join(one.name for one in views)
    raise InputError(
        visible(name[:LONGEST_NAME]),
        title="There is no saved view with this name",
        hint=f"Choose from: {names}." if names else "Save one in the window first.",
    )


def check_name(name: str, others: Iterable[SavedView] = ()) -> str:
    """Return the name with single spaces only. Raises InputError if it is invalid or another view has it."""
    name = " ".join(name.split())
    if not name:
        raise InputError(title="The name is missing", hint="Enter a name.")
    if len(name) > LONGEST_NAME:
        raise InputError(title="The name is too long", hint=f"Use at most {LONGEST_NAME} characters.")
    if visible(name) != name:
        raise InputError(title="The name has invisible characters", hint="Enter it again.")
    if mask_keys(name) != name:
        raise InputError(title="The name has an API key in it", hint="Enter another name.")
    if name.casefold() in {one.name.casefold() for one in others}:
        raise InputError(title="Another saved view has this name", hint="Choose another name.")
    return name


def free_name(text: str, others: Iterable[SavedView]) -> str:
    """Return any text as a valid name: safe to show, cut, and with a number if another view has it."""
    plain = visible(" ".join(mask_keys(text[: 10 * LONGEST_NAME]).split())) or "View"
    taken = {one.name.casefold() for one in others}
    name, number = plain[:LONGEST_NAME].strip(), 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[: LONGEST_NAME - 6].strip()} ({number})"
    return name


def _position(views: SavedViews, id: str) -> int:
    for position, one in enumerate(views):
        if one.id == id:
            return position
    raise InputError(title="This view was removed in another window", hint="Save it again.")


def _with_item(views: SavedViews, position: int, item: SavedView) -> SavedViews:
    return (*views[:position], item, *views[position + 1 :])


Change = Callable[[SavedViews], SavedViews]
"""An edit of the list. Raises InputError."""


# The ready-made ones

_MONTH = DateRange(Preset.THIS_MONTH)


def _ready(id: str, name: str, view: ViewState) -> SavedView:
    return replace(new_view(name, view), id=id)


READY_MADE: Final[SavedViews] = (
    _ready(
        "this-month",
        "This month by model",
        ViewState(range=_MONTH, order=(SortKey("input_tokens", descending=True),)),
    ),
    _ready(
        "who-spends",
        "Who spends",
        ViewState("spend", _MONTH, grouping=("user_id",), order=(SortKey("amount", descending=True),)),
    ),
    _ready(
        "what-moved",
        "What moved since last month",
        ViewState("costs", _MONTH, grouping=("line_item",), columns=("amount", "quantity")).with_compare(
            Comparison.MONTH
        ),
    ),
    _ready(
        "cached-share",
        "Keys by cached share",
        ViewState(
            grouping=("api_key_id",),
            columns=("num_model_requests", "input_tokens", "input_cached_tokens", "cached_share"),
            order=(SortKey(ColumnKey.of("cached_share")), SortKey("input_tokens", descending=True)),
        ),
    ),
    _ready(
        "batch-by-hour",
        "Batch by hour",
        ViewState(
            range=DateRange(Preset.LAST_7_DAYS),
            per=Granularity.HOUR,
            grouping=(),
            filters=(Filter("batch", frozenset(["true"])),),
        ),
    ),
)
"""The views of a first start, which the user can edit like any other."""
