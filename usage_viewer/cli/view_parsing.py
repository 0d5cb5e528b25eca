"""Turns the options that describe a view into a `ViewState`."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from usage_viewer.cli.pivot_options import with_columns_by
from usage_viewer.cli.saved_view_option import with_defaults
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter, SortKey, Value
from usage_viewer.domain.zones import zone_of

FIRST_YEAR, LAST_YEAR = 1971, 2199


def parse_view(arguments: argparse.Namespace) -> ViewState:
    """Return the view that the arguments of `table` describe without `--view`. Raises InputError."""
    arguments = with_defaults(arguments)
    data = ViewState(dataset_name=arguments.dataset, grouping=()).dataset
    grouping, zone = _split_names(arguments.group_by), zone_of(arguments.zone)
    view = ViewState(
        dataset_name=data.name,
        range=DateRange(None, parse_moment(arguments.start, zone), parse_moment(arguments.end, zone)),
        per=_parse_granularity(arguments.per),
        grouping=grouping,
        filters=parse_filters(arguments.filter, data),
        columns=_parse_metrics(arguments.metrics, data),
        zone=arguments.zone,
        include_empty=arguments.include_empty,
        compare=Comparison(arguments.compare),
    )
    view = with_columns_by(arguments, view)
    if not arguments.sort:
        return view.with_compare(view.compare)
    return view.with_order(_parse_order(arguments.sort, view))


def parse_moment(text: str, zone: tzinfo = UTC) -> datetime:
    """Return an ISO date (its midnight) or time as a naive wall-clock time in `zone`. Raises InputError.

    A time with an offset is converted to `zone`; a time without one is already in `zone`.
    """
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None:
            parsed = parsed.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise InputError(
            text,
            title="This is not a date",
            hint="Use a date like 2026-10-01, or a time like 2026-10-01T14:00 or 2026-10-01T14:00+02:00.",
        ) from error
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        raise InputError(
            text, title="This date is out of range", hint=f"Choose a year from {FIRST_YEAR} to {LAST_YEAR}."
        )
    if parsed.second or parsed.microsecond:
        raise InputError(text, title="Seconds are not allowed", hint="Choose a time on a whole minute.")
    return parsed


def parse_filters(texts: Sequence[str], data: Dataset) -> tuple[Filter, ...]:
    """Return the filters in texts like `NAME=VALUE` and `NAME!=VALUE`. Raises InputError.

    Several texts with one name and the same sign become one filter with several values.
    """
    chosen: dict[str, Filter] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        exclude = name.endswith("!")
        name = name.removesuffix("!").strip()
        if not equals or not name:
            raise InputError(
                text, title="This filter is invalid", hint="Write it like model=gpt-5 or model!=gpt-5."
            )
        before = chosen.get(name)
        if before is not None and before.exclude != exclude:
            raise InputError(
                text, title=f"{name} is both included and excluded", hint="Use either = or != for each dimension."
            )
        values = {_filter_value(name, value, data)} | (before.values if before else set())
        chosen[name] = Filter(name, frozenset(values), exclude)
    return tuple(chosen.values())


def _filter_value(name: str, text: str, data: Dataset) -> Value:
    if not text:
        return None
    if data.has_dimension(name) and data.dimension(name).boolean:
        lowered = {"yes": "true", "no": "false"}.get(text.lower(), text.lower())
        if lowered not in ("true", "false"):
            raise InputError(
                text, title=f"{name} must be true or false", hint=f"Write {name}=true or {name}=false."
            )
        return lowered
    return text


def _parse_granularity(text: str) -> Granularity:
    try:
        return Granularity(text)
    except ValueError:
        raise InputError(text, title="Unknown period", hint="Choose one of: " + ", ".join(Granularity)) from None


def _parse_metrics(text: str, data: Dataset) -> tuple[str, ...]:
    if text.strip() == "all":
        return tuple(column.name for column in data.columns)
    return _split_names(text)


def _parse_order(text: str, view: ViewState) -> tuple[SortKey, ...]:
    names = _split_names(text)
    keys = tuple(SortKey(ColumnKey.parse(name.removeprefix("-")), name.startswith("-")) for name in names)
    for key in keys:
        if not view.has_column(key.column):
            raise InputError(
                key.column.name,
                title="The table can only be sorted by a column that it shows",
                hint="Choose from: " + ", ".join(view.keys) + f" ({PERIOD} is the time)."
                if PERIOD in view.keys
                else "Choose from: " + ", ".join(view.keys) + ".",
            )
    return keys


def _split_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
