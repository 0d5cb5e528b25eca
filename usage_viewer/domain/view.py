"""Defines `ViewState`: the frozen record that determines the displayed table. Each control creates a new one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo

from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.column_key import ChangeKind, ColumnKey
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.cost_figures import with_shown_costs
from usage_viewer.domain.dataset import PROFILE, Dataset, Dimension, Figure, across_profiles, is_extra, with_extras
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity, Periods, cached_periods
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view_parts import (
    HAVE_LAST_USED,
    NEW_OR_GONE,
    PERIOD,
    PIVOT_WITH_COMPARISON,
    Filter,
    SortKey,
    Value,
    last_used_name,
)
from usage_viewer.domain.zones import zone_of

_DEFAULT_RANGE = DateRange()
_FIRST_SORTED = "input_tokens"


@dataclass(frozen=True, slots=True)
class ViewState:
    """Determines the displayed table: dataset, range, period, grouping, filters, order, zone and columns.

    `per` is the granularity: the length of each row's period. `order` lists the sort keys, the most significant
    first; they hold keys of columns, of which a pivot or a comparison has several for one figure. `columns` are the
    names of the displayed figures; empty means the dataset's default columns. `profiles` are the ids of the
    organizations that the view combines; empty means the current organization only. `include_empty` adds the rows
    without usage: idle periods, and unused keys, people and projects. `compare` adds the figures of another period
    and the changes since. `pivot` puts the periods or a dimension across the columns, for one figure. A field that
    this version doesn't know has the name `extra.` plus its own name.

    Raises InputError for a name that the dataset doesn't have, or that is given twice, and for a pivot that the
    rest of the view doesn't allow.
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
    pivot: Pivot | None = None

    def __post_init__(self) -> None:
        data = self.dataset
        for name in (*self.dimensions, *(item.dimension for item in self.filters)):
            if not data.has_dimension(name):
                raise _unknown(name, f"{data.label} can't be grouped or filtered by {name}", data.dimensions)
        for name in (*self.columns, *self.shown_columns):
            if not data.has_column(name):
                raise _unknown(name, f"{data.label} has no figure called {name}", data.columns)
        for names in (self.dimensions, [item.dimension for item in self.filters], self.columns):
            if len(set(names)) != len(names):
                raise InputError(", ".join(names), title="Duplicate name", hint="Give each name only once.")
        if self.pivot is not None:
            self._check_pivot(self.pivot)

    def _check_pivot(self, pivot: Pivot) -> None:
        if pivot.by == PERIOD and self.per is Granularity.TOTAL:
            raise InputError(
                title="The whole range is one period",
                hint="Choose a time breakdown, such as months, to have periods as columns.",
            )
        if self.compare is not Comparison.NONE:
            raise InputError(title=PIVOT_WITH_COMPARISON, hint="Leave out one of the two.")

    @property
    def dataset(self) -> Dataset:
        """Return the dataset's definition, extended by the unknown fields that the view uses.

        Raises InputError.
        """
        data = dataset_named(self.dataset_name)
        if self.profiles:
            data = across_profiles(data)
        figures = self.columns if self.pivot is None else (*self.columns, self.pivot.figure)
        data = with_shown_costs(data, figures)
        if not self.extras:
            return data
        metrics = [name for name in dict.fromkeys(figures) if is_extra(name)]
        dimensions = [name for name in self.extras if name not in metrics]
        return with_extras(data, dimensions, metrics)

    @property
    def extras(self) -> tuple[str, ...]:
        """Return the names of the fields that the view uses and this version doesn't know."""
        named = (*self.dimensions, *(item.dimension for item in self.filters), *self.columns)
        figure = () if self.pivot is None else (self.pivot.figure,)
        return tuple(dict.fromkeys(name for name in (*named, *figure) if is_extra(name)))

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Return the names of the dimensions that the table tells apart: those of its rows and of its columns."""
        across = () if self.pivot is None or self.pivot.by == PERIOD else (self.pivot.by,)
        return (*self.grouping, *across)

    @property
    def has_period_rows(self) -> bool:
        """Report whether each row has a period: not the whole range, and the periods are not across."""
        return self.per is not Granularity.TOTAL and (self.pivot is None or self.pivot.by != PERIOD)

    @property
    def flat(self) -> "ViewState":
        """Return the view that has all details of a pivot in rows; without a pivot, the view itself."""
        if self.pivot is None:
            return self
        order = tuple(key for key in self.order if key.column.is_plain) or self.default_order
        return replace(self, pivot=None, grouping=self.dimensions, columns=(self.pivot.figure,), order=order)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Return the names of the displayed figures, in order."""
        return (self.pivot.figure,) if self.pivot is not None else self.columns or self.dataset.default_columns

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names of all displayed columns, in order: the period (if rows have one), grouping, figures.

        With rows without usage, those of the last use are between grouping and figures; a table lacks them if
        the organization's lists don't tell.

        A pivot has several columns of one of these names, and so has a comparison.
        """
        period = (PERIOD,) if self.has_period_rows else ()
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
        return cached_periods(self.range.resolve(now, zone, week_start), self.per, zone, week_start)

    def filter_on(self, dimension: str) -> Filter | None:
        """Return the filter on `dimension`, or None."""
        return next((item for item in self.filters if item.dimension == dimension), None)

    # The methods below return the new view that a control requests.

    def with_range(self, chosen: DateRange) -> "ViewState":
        """Return the view with another range."""
        return replace(self, range=chosen)

    def with_per(self, per: Granularity) -> "ViewState":
        """Return the view with another granularity.

        Periods that replace a total go by time, unless the user chose the order. A total can't be sorted by period,
        nor can it have its periods across: figures are its columns.
        """
        if per is Granularity.TOTAL and self.pivot is not None and self.pivot.by == PERIOD:
            return self.with_pivot(None).with_per(per)
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
        if view.pivot is not None and view.pivot.by == PROFILE.name:
            view = view.with_pivot(None)
        return replace(view.with_grouping(name for name in view.grouping if name != PROFILE.name), profiles=())

    def with_zone(self, zone: str) -> "ViewState":
        """Return the view in another zone (`UTC`, `local` or an IANA name)."""
        return replace(self, zone=zone)

    def with_grouping(self, grouping: Iterable[str]) -> "ViewState":
        """Return the view grouped by these dimensions, without the sort keys of removed dimensions.

        If one of them was across, figures are the columns now.
        """
        grouping = tuple(grouping)
        if self.pivot is not None and self.pivot.by in grouping:
            return self.with_pivot(None).with_grouping(grouping)
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

    def with_pivot(self, pivot: Pivot | None) -> "ViewState":
        """Return the view with other columns: a dimension that is put across leaves the rows, and comes back later.

        The order is kept as far as its columns remain; else the largest total comes first. Raises InputError for
        periods without a granularity, and for a view with a comparison.
        """
        before, grouping = self.pivot, self.grouping
        if before is not None and before.by != PERIOD and (pivot is None or pivot.by != before.by):
            grouping = (*grouping, before.by)
        if pivot is not None:
            grouping = tuple(name for name in grouping if name != pivot.by)
        turned = replace(self, pivot=pivot, grouping=grouping, order=())
        order = tuple(key for key in self.order if turned.has_column(key.column))
        if pivot is not None and before is not None and pivot.by == before.by:
            moved = (
                SortKey(_renamed(key.column, before.figure, pivot.figure), key.descending) for key in self.order
            )
            order = tuple(key for key in moved if turned.has_column(key.column))
        if not order and pivot is not None:
            order = (SortKey(pivot.figure, descending=True),)
        return turned.with_order(order if order or not self.order else turned.default_order)

    def has_column(self, column: ColumnKey) -> bool:
        """Report whether the table may have this column, as far as the view alone tells."""
        if column.name not in self.keys:
            return False
        if not column.is_of_pivot:
            return self.compare is not Comparison.NONE or not column.is_of_comparison
        pivot = self.pivot
        if pivot is None or column.name != pivot.figure or column.is_of_comparison:
            return False
        if column.others:
            return True
        return column.period is not None if pivot.by == PERIOD else (column.where or ("",))[0] == pivot.by

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
        pivot = None if self.pivot is None else self.pivot.supported_by(data)
        if pivot is not None:
            grouping = tuple(item for item in grouping if item != pivot.by)
        turned = replace(
            self,
            dataset_name=name,
            grouping=grouping,
            filters=tuple(item for item in self.filters if data.has_dimension(item.dimension)),
            columns=(),
            order=(),
            pivot=pivot,
        )
        order = tuple(key for key in self.order if turned.has_column(key.column))
        if not order and self.per is Granularity.TOTAL and data.largest_first:
            largest = data.largest_first if pivot is None else pivot.figure
            order = (SortKey(largest, descending=True),)
        return turned.with_order(order)

    def _order_without(self, *names: str) -> tuple[SortKey, ...]:
        """Return the order without the columns of some figures and dimensions, those of a pivot included."""
        return tuple(key for key in self.order if key.column.name not in names)


def _unknown(name: str, title: str, known: Iterable[Dimension | Figure]) -> InputError:
    return InputError(name, title=title, hint=f"Choose from: {', '.join(item.name for item in known)}.")


def _renamed(column: ColumnKey, before: str, after: str) -> ColumnKey:
    return column.with_name(after) if column.name == before else column


def _needs_comparison(column: ColumnKey) -> bool:
    return column.is_of_comparison or column.name == NEW_OR_GONE


FIRST_VIEW = ViewState(order=(SortKey(_FIRST_SORTED, descending=True),))
"""The view of the first start: the last 30 days of completions by model, the most input tokens first."""
