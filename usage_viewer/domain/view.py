"""Defines `ViewState`: the frozen record that determines the displayed table. Each control creates a new one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache
from typing import Final

from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.cost_figures import with_shown_costs
from usage_viewer.domain.dataset import PROFILE, Dataset, across_profiles, is_extra, with_extras
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity, Periods, Span, periods
from usage_viewer.domain.zones import zone_of

PERIOD = "period"
"""Name of the period's column; the other columns have the names of dimensions and metrics."""

Value = str | None
"""A dimension's value: text ("true" or "false" for a boolean), or None, displayed as `Dimension.none`."""

NOT_AVAILABLE: Final = "\ufdd0not available"
"""The value of a dimension where the organization's API does not grant it: neither an id nor none."""

NOT_AVAILABLE_TEXT = "(not available)"


NEW_OR_GONE: Final = "new_or_gone"
"""Name of the column that marks the rows which only one of two compared periods has."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the rows whose `dimension` has one of `values`; with `exclude`, removes those rows."""

    dimension: str
    values: frozenset[Value]
    exclude: bool = False

    def passes(self, value: Value) -> bool:
        """Report whether a row with this value of the dimension is kept."""
        return (value in self.values) != self.exclude


@dataclass(frozen=True, slots=True, init=False)
class SortKey:
    """Names a column to sort by, and the direction; a name stands for the plain key of its column."""

    column: ColumnKey
    descending: bool

    def __init__(self, column: ColumnKey | str, descending: bool = False) -> None:
        object.__setattr__(self, "column", ColumnKey.of(column))
        object.__setattr__(self, "descending", descending)


_DEFAULT_RANGE = DateRange()
_FIRST_SORTED = "input_tokens"


HAVE_LAST_USED: Final = frozenset(["api_key", "user"])
"""The kinds of names of which the organization's lists tell when they were last used."""


def last_used_name(dimension: str) -> str:
    """Return the name of the column that tells when the keys of a dimension were last used."""
    return f"{dimension}_last_used"


@dataclass(frozen=True, slots=True)
class ViewState:
    """Determines the displayed table: dataset, range, period, grouping, filters, order, zone and columns.

    `per` is the granularity: the length of each row's period. `order` lists the sort keys, the most significant
    first; they hold keys of columns, of which a pivot or a comparison has several for one figure. `columns` are the
    names of the displayed figures; empty means the dataset's default columns. `profiles` are the ids of the
    organizations that the view combines; empty means the current organization only. `include_empty` adds the rows
    without usage: idle periods, and unused keys, people and projects. `compare` adds the figures of another period
    and the changes since. A field that this version doesn't know has the name `extra.` plus its own name.

    Raises InputError for a name that the dataset doesn't have, or that is given twice.
    """

    dataset_name: str = "completions"
    range: DateRange = _DEFAULT_RANGE
    per: Granularity = Granularity.TOTAL
    grouping: tuple[str, ...] = ("model",)
    filters: tuple[Filter, ...] = ()
    search: str = ""
    order: tuple[SortKey, ...] = ()
    columns: tuple[str, ...] = ()
    zone: str = "UTC"
    profiles: tuple[str, ...] = ()
    include_empty: bool = False
    compare: Comparison = Comparison.NONE

    def __post_init__(self) -> None:
        data = self.dataset
        for name in (*self.grouping, *(item.dimension for item in self.filters)):
            if not data.has_dimension(name):
                raise InputError(
                    name,
                    title=f"{data.label} can't be grouped or filtered by {name}",
                    hint="Choose from: " + ", ".join(item.name for item in data.dimensions) + ".",
                )
        for name in self.columns:
            if not data.has_column(name):
                raise InputError(
                    name,
                    title=f"{data.label} has no figure called {name}",
                    hint="Choose from: " + ", ".join(item.name for item in data.columns) + ".",
                )
        for names in (self.grouping, [item.dimension for item in self.filters], self.columns):
            if len(set(names)) != len(names):
                raise InputError(", ".join(names), title="Duplicate name", hint="Give each name only once.")

    @property
    def dataset(self) -> Dataset:
        """Return the dataset's definition, extended by the unknown fields that the view uses.

        Raises InputError.
        """
        data = dataset_named(self.dataset_name)
        if self.profiles:
            data = across_profiles(data)
        data = with_shown_costs(data, self.columns)
        if not self.extras:
            return data
        metrics = [name for name in dict.fromkeys(self.columns) if is_extra(name)]
        dimensions = [name for name in self.extras if name not in metrics]
        return with_extras(data, dimensions, metrics)

    @property
    def extras(self) -> tuple[str, ...]:
        """Return the names of the fields that the view uses and this version doesn't know."""
        named = (*self.grouping, *(item.dimension for item in self.filters), *self.columns)
        return tuple(dict.fromkeys(name for name in named if is_extra(name)))

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Return the names of the displayed figures, in order."""
        return self.columns or self.dataset.default_columns

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names of all displayed columns, in order: the period (unless total), grouping, figures.

        With rows without usage, those of the last use are between grouping and figures; a table lacks them if
        the organization's lists don't tell.

        A pivot has several columns of one of these names, and so has a comparison.
        """
        period = () if self.per is Granularity.TOTAL else (PERIOD,)
        used = self.grouping if self.include_empty else ()
        last_used = (last_used_name(name) for name in used if self.dataset.dimension(name).names in HAVE_LAST_USED)
        marks = (NEW_OR_GONE,) if self.compare is not Comparison.NONE and (period or self.grouping) else ()
        return (*period, *self.grouping, *last_used, *marks, *self.shown_columns)

    @property
    def default_order(self) -> tuple[SortKey, ...]:
        """Return the order before the user chooses one: the largest first, if the dataset has a figure for that."""
        data = self.dataset
        name = data.largest_first or (_FIRST_SORTED if data.has_column(_FIRST_SORTED) else "")
        return (SortKey(name, descending=True),) if name else ()

    @property
    def tzinfo(self) -> tzinfo:
        """Return the view's zone. Raises InputError."""
        return zone_of(self.zone)

    @property
    def filtered(self) -> bool:
        """Report whether a filter or a search limits the rows."""
        return bool(self.filters or self.search)

    def periods(self, now: int, week_start: int = 0) -> Periods:
        """Return the periods of the view's range at `now` (epoch seconds); `week_start` 0 is Monday.

        Raises InputError.
        """
        zone = self.tzinfo
        return _periods(self.range.resolve(now, zone, week_start), self.per, zone, week_start)

    def filter_on(self, dimension: str) -> Filter | None:
        """Return the filter on `dimension`, or None."""
        return next((item for item in self.filters if item.dimension == dimension), None)

    # The methods below return the new view that a control requests.

    def with_range(self, chosen: DateRange) -> "ViewState":
        """Return the view with another range."""
        return replace(self, range=chosen)

    def with_per(self, per: Granularity) -> "ViewState":
        """Return the view with another granularity.

        Periods that replace a total go by time, unless the user chose the order. A total can't be sorted by period.
        """
        order = self.order
        if per is Granularity.TOTAL:
            order = self._order_without(PERIOD)
        elif self.per is Granularity.TOTAL and order and order == self.default_order:
            order = (SortKey(PERIOD), *order)
        return replace(self, per=per, order=order)

    def across(self, profiles: Iterable[str]) -> "ViewState":
        """Return the view of these organizations combined.

        Without any, returns the view of the current organization: grouping and filter by organization are removed.
        """
        profiles = tuple(profiles)
        if profiles:
            return replace(self, profiles=profiles)
        view = self.without_filter(PROFILE.name)
        return replace(view.with_grouping(name for name in view.grouping if name != PROFILE.name), profiles=())

    def with_zone(self, zone: str) -> "ViewState":
        """Return the view in another zone (`UTC`, `local` or an IANA name)."""
        return replace(self, zone=zone)

    def with_grouping(self, grouping: Iterable[str]) -> "ViewState":
        """Return the view grouped by these dimensions, without the sort keys of removed dimensions."""
        grouping = tuple(grouping)
        return replace(self, grouping=grouping, order=self._order_without(*(set(self.grouping) - set(grouping))))

    def toggled(self, dimension: str) -> "ViewState":
        """Return the view with `dimension` added as the last of the grouping, or removed if it was included."""
        if dimension in self.grouping:
            return self.with_grouping(name for name in self.grouping if name != dimension)
        return self.with_grouping((*self.grouping, dimension))

    def with_filter(self, chosen: Filter) -> "ViewState":
        """Return the view with this filter in place of the filter on the same dimension.

        A filter that excludes nothing removes the filter on its dimension.
        """
        if chosen.exclude and not chosen.values:
            return self.without_filter(chosen.dimension)
        if self.filter_on(chosen.dimension) is None:
            return replace(self, filters=(*self.filters, chosen))
        return replace(
            self,
            filters=tuple(chosen if item.dimension == chosen.dimension else item for item in self.filters),
        )

    def only(self, dimension: str, value: Value) -> "ViewState":
        """Return the view filtered to this value only (the command *Filter to this*)."""
        return self.with_filter(Filter(dimension, frozenset([value])))

    def excluding(self, dimension: str, value: Value) -> "ViewState":
        """Return the view with this value removed from those that pass (the command *Exclude this*)."""
        before = self.filter_on(dimension) or Filter(dimension, frozenset(), exclude=True)
        values = before.values | {value} if before.exclude else before.values - {value}
        return self.with_filter(replace(before, values=values))

    def without_filter(self, dimension: str) -> "ViewState":
        """Return the view without the filter on `dimension`."""
        return replace(self, filters=tuple(item for item in self.filters if item.dimension != dimension))

    def without_filters(self) -> "ViewState":
        """Return the view without any filter or search."""
        return replace(self, filters=(), search="")

    def with_search(self, text: str) -> "ViewState":
        """Return the view that is limited to rows with `text` in one of their dimensions."""
        return replace(self, search=text)

    def with_columns(self, columns: Iterable[str]) -> "ViewState":
        """Return the view with these figures, without the sort keys of removed figures."""
        columns = tuple(columns)
        return replace(self, columns=columns, order=self._order_without(*(set(self.shown_columns) - set(columns))))

    def with_empty_rows(self, include: bool) -> "ViewState":
        """Return the view with or without the rows that have no usage."""
        return replace(self, include_empty=include)

    def with_compare(self, compare: Comparison) -> "ViewState":
        """Return the view compared with another period, or with none.

        Unless the user chose an order, the largest increase comes first.
        """
        plain = tuple(key for key in self.order if not _needs_comparison(key.column))
        if compare is Comparison.NONE:
            order = plain if plain or not self.order else self.default_order
            return replace(self, compare=compare, order=order)
        unchosen = ((), self.default_order, (SortKey(PERIOD, descending=False), *self.default_order))
        return replace(self, compare=compare, order=self._change_order if self.order in unchosen else self.order)

    @property
    def _change_order(self) -> tuple[SortKey, ...]:
        """Return the order by the change of the figure that the view is usually sorted by, the largest first."""
        usual = [key.column.name for key in self.default_order if key.column.name in self.shown_columns]
        figure = next(iter((*usual, *self.shown_columns)))
        return (SortKey(ColumnKey(figure, change=ChangeKind.AMOUNT), descending=True),)

    def with_order(self, order: Iterable[SortKey]) -> "ViewState":
        """Return the view with another order."""
        return replace(self, order=tuple(order))

    def sorted_by(
        self, column: ColumnKey | str, *, add: bool = False, descending_first: bool = False
    ) -> "ViewState":
        """Return the view after a click on a column's header.

        The view is sorted by `column`, or in the other direction if `column` is already a sort key. With `add`, the
        other sort keys are kept. `descending_first` is the direction of a new sort key.
        """
        column = ColumnKey.of(column)
        present = next((key for key in self.order if key.column == column), None)
        key = SortKey(column, descending_first if present is None else not present.descending)
        if not add:
            return replace(self, order=(key,))
        if present is None:
            return replace(self, order=(*self.order, key))
        return replace(self, order=tuple(key if item.column == column else item for item in self.order))

    def with_dataset(self, name: str) -> "ViewState":
        """Return the view of another dataset, with the same range and zone.

        Grouping, filters and order are kept as far as the other dataset supports them; a dataset's default
        grouping gives way to that of the other. Without an order, rows that have no periods begin with the largest
        figure if the dataset has one to sort by.
        """
        data = ViewState(dataset_name=name, grouping=(), profiles=self.profiles).dataset
        chosen = () if self.grouping == self.dataset.default_grouping else self.grouping
        grouping = tuple(item for item in chosen if data.has_dimension(item)) or data.default_grouping
        available = {*grouping, *data.default_columns, *(() if self.per is Granularity.TOTAL else (PERIOD,))}
        order = tuple(key for key in self.order if key.column.name in available)
        if not order and self.per is Granularity.TOTAL and data.largest_first:
            order = (SortKey(data.largest_first, descending=True),)
        return replace(
            self,
            dataset_name=name,
            grouping=grouping,
            filters=tuple(item for item in self.filters if data.has_dimension(item.dimension)),
            columns=(),
            order=order,
        )

    def _order_without(self, *names: str) -> tuple[SortKey, ...]:
        """Return the order without the columns of some figures and dimensions, those of a pivot included."""
        return tuple(key for key in self.order if key.column.name not in names)


def _needs_comparison(column: ColumnKey) -> bool:
    return column.is_of_comparison or column.name == NEW_OR_GONE


@lru_cache(maxsize=32)
def _periods(span: Span, per: Granularity, zone: tzinfo, week_start: int) -> Periods:
    """Cache the periods: the days of a year take 2 ms to compute, and every click needs them."""
    cached = periods(span, per, zone, week_start)
    cached.bounds.flags.writeable = False
    return cached


FIRST_VIEW = ViewState(order=(SortKey(_FIRST_SORTED, descending=True),))
"""The view of the first start: the last 30 days of completions by model, the most input tokens first."""
