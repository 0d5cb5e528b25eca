"""Converts a `ViewState` to JSON and back; the JSON may have been edited or damaged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, TypeVar

import msgspec

from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.domain.zones import zone_of

T = TypeVar("T")

FIRST_YEAR, LAST_YEAR = 1971, 2999
"""The years of ranges that a stored view may have."""

Change = Callable[[ViewState, T], ViewState]


@dataclass(frozen=True, slots=True)
class StoredSortKey:
    """Holds a sort key as JSON has it: `column` is the text of a `ColumnKey`."""

    column: str
    descending: bool = False


def restored_view(stored: object) -> ViewState:
    """Return the view in `stored` (decoded JSON), with the default for each part that is invalid. Never raises.

    A filter on an unknown dimension is omitted; an unknown dataset is replaced by the default one.
    """
    view = ViewState()
    if not isinstance(stored, dict):
        return view
    view = _with(view, stored.get("dataset"), str, ViewState.with_dataset)
    view = _with(view, stored.get("range"), DateRange, _with_range)
    view = _with(view, stored.get("per"), Granularity, ViewState.with_per)
    view = _with(view, stored.get("zone"), str, _with_zone)
    view = _with(view, stored.get("search"), str, ViewState.with_search)
    view = _with(view, stored.get("profiles"), tuple[str, ...], ViewState.across)
    view = _with(view, stored.get("include_empty"), bool, ViewState.with_empty_rows)
    view = _with(view, stored.get("compare"), Comparison, ViewState.with_compare)
    if isinstance(stored.get("grouping"), list):
        grouped = _with_each(view.with_grouping(()), stored["grouping"], str, _with_group)
        view = grouped if grouped.grouping or not stored["grouping"] else view
    view = _with_each(view, stored.get("filters"), Filter, _with_filter)
    view = _with_each(view, stored.get("columns"), str, _with_column)
    view = _with(view, stored.get("pivot"), Pivot, ViewState.with_pivot)
    return _with_each(view.with_order(()), stored.get("order"), StoredSortKey, _with_key)


def serialized_view(view: ViewState) -> dict[str, Any]:
    """Return the view as JSON data. Filter values are sorted, so that equal views give equal text."""
    stored: dict[str, Any] = msgspec.to_builtins(view)
    stored = {"dataset": stored.pop("dataset_name"), **stored}
    stored["order"] = [{"column": key.column.text, "descending": key.descending} for key in view.order]
    for chosen in stored["filters"]:
        chosen["values"].sort(key=lambda value: (value is None, value or ""))
    return stored


def _with(view: ViewState, stored: object, kind: type[T], change: Change[T]) -> ViewState:
    """Return `view` after `change` with `stored` as a `kind`; `view` itself if that is impossible."""
    try:
        return change(view, msgspec.convert(stored, kind))
    except (msgspec.ValidationError, InputError, OverflowError):
        return view


def _with_each(view: ViewState, stored: object, kind: type[T], change: Change[T]) -> ViewState:
    items: list[Any] = stored if isinstance(stored, list) else []
    for item in items:
        view = _with(view, item, kind, change)
    return view


def _with_range(view: ViewState, chosen: DateRange) -> ViewState:
    years = [moment.year for moment in (chosen.start, chosen.end) if moment is not None]
    if not all(FIRST_YEAR <= year <= LAST_YEAR for year in years):
        raise InputError(str(chosen))  # no clock or calendar can show it
    chosen.resolve(0, UTC)
    return view.with_range(chosen)


def _with_zone(view: ViewState, zone: str) -> ViewState:
    zone_of(zone)
    return view.with_zone(zone)


def _with_group(view: ViewState, name: str) -> ViewState:
    return view.with_grouping((*view.grouping, name))


def _with_filter(view: ViewState, chosen: Filter) -> ViewState:
    return replace(view, filters=(*view.filters, chosen))


def _with_column(view: ViewState, name: str) -> ViewState:
    return replace(view, columns=(*view.columns, name))


def _with_key(view: ViewState, stored: StoredSortKey) -> ViewState:
    key = SortKey(ColumnKey.parse(stored.column), stored.descending)
    if key.column.name not in view.keys or any(key.column == other.column for other in view.order):
        return view
    return view.with_order((*view.order, key))
