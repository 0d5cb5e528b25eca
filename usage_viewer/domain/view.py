"""`ViewState`: one frozen record that alone determines what is shown; every control makes a new one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache

from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.column_key import ColumnKey
from usage_viewer.domain.dataset import PROFILE, Dataset, across_profiles, is_extra, with_extras
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity, Periods, Span, periods
from usage_viewer.domain.zones import zone_of

PERIOD = "period"
"""The name of the period's column, beside the names of dimensions and metrics."""

Value = str | None
"""A dimension's value: text ("true" and "false" for a boolean), or None for "(none)"."""

NONE_TEXT = "(none)"


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps what has one of `values` in `dimension`, or drops it. Order of values has no meaning."""

    dimension: str
    values: frozenset[Value]
    exclude: bool = False

    def passes(self, value: Value) -> bool:
        return (value in self.values) != self.exclude


@dataclass(frozen=True, slots=True, init=False)
class SortKey:
    """Sorts by a column; a name stands for its plain key."""

    column: ColumnKey
    descending: bool

    def __init__(self, column: ColumnKey | str, descending: bool = False) -> None:
        object.__setattr__(self, "column", ColumnKey.of(column))
        object.__setattr__(self, "descending", descending)


_DEFAULT_RANGE = DateRange()


@dataclass(frozen=True, slots=True)
class ViewState:
    """Determines the answer to a query: the same view over the same data gives the same table.

    `grouping` and `columns` are names of dimensions and figures; empty `columns` means the dataset's default
    figures. `order` holds the keys of columns, which a pivot or a comparison can have several of for one figure;
    its first key sorts first. An unknown field's name is `extra.` and its own name.
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
    profiles: tuple[str, ...] = ()  # the organizations that it is across; none: it is of one alone

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
                raise InputError(", ".join(names), title="A name is there twice", hint="Give each one once.")

    @property
    def dataset(self) -> Dataset:
        """The dataset's entry, with the fields that this version doesn't know and the view names. Raises
        InputError.
        """
        data = dataset_named(self.dataset_name)
        if self.profiles:
            data = across_profiles(data)
        if not self.extras:
            return data
        metrics = [name for name in dict.fromkeys(self.columns) if is_extra(name)]
        dimensions = [name for name in self.extras if name not in metrics]
        return with_extras(data, dimensions, metrics)

    @property
    def extras(self) -> tuple[str, ...]:
        """Names of the fields that this version doesn't know."""
        named = (*self.grouping, *(item.dimension for item in self.filters), *self.columns)
        return tuple(dict.fromkeys(name for name in named if is_extra(name)))

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Figures shown, in their order."""
        return self.columns or self.dataset.default_columns

    @property
    def keys(self) -> tuple[str, ...]:
        """Names in the order of the header: the period if there is one, the grouping, the figures.

        A pivot has several columns of one of these names.
        """
        period = () if self.per is Granularity.TOTAL else (PERIOD,)
        return (*period, *self.grouping, *self.shown_columns)

    @property
    def tzinfo(self) -> tzinfo:
        return zone_of(self.zone)

    @property
    def filtered(self) -> bool:
        return bool(self.filters or self.search)

    def periods(self, now: int, week_start: int = 0) -> Periods:
        zone = self.tzinfo
        return _periods(self.range.resolve(now, zone), self.per, zone, week_start)

    def filter_on(self, dimension: str) -> Filter | None:
        return next((item for item in self.filters if item.dimension == dimension), None)

    # Each of these gives the view that a control asks for.

    def with_range(self, chosen: DateRange) -> "ViewState":
        return replace(self, range=chosen)

    def with_per(self, per: Granularity) -> "ViewState":
        return replace(self, per=per, order=self._order_without(PERIOD) if per is Granularity.TOTAL else self.order)

    def across(self, profiles: Iterable[str]) -> "ViewState":
        """The same across these organizations; across none, what speaks of organizations is left out."""
        profiles = tuple(profiles)
        if profiles:
            return replace(self, profiles=profiles)
        view = self.without_filter(PROFILE.name)
        return replace(view.with_grouping(name for name in view.grouping if name != PROFILE.name), profiles=())

    def with_zone(self, zone: str) -> "ViewState":
        return replace(self, zone=zone)

    def with_grouping(self, grouping: Iterable[str]) -> "ViewState":
        grouping = tuple(grouping)
        return replace(self, grouping=grouping, order=self._order_without(*(set(self.grouping) - set(grouping))))

    def toggled(self, dimension: str) -> "ViewState":
        """Grouped by `dimension` too (as the last), or no longer."""
        if dimension in self.grouping:
            return self.with_grouping(name for name in self.grouping if name != dimension)
        return self.with_grouping((*self.grouping, dimension))

    def with_filter(self, chosen: Filter) -> "ViewState":
        """Replaces the filter on the same dimension in its place; an exclusion of nothing is no filter."""
        if chosen.exclude and not chosen.values:
            return self.without_filter(chosen.dimension)
        if self.filter_on(chosen.dimension) is None:
            return replace(self, filters=(*self.filters, chosen))
        return replace(
            self,
            filters=tuple(chosen if item.dimension == chosen.dimension else item for item in self.filters),
        )

    def only(self, dimension: str, value: Value) -> "ViewState":
        """*Filter to this*."""
        return self.with_filter(Filter(dimension, frozenset([value])))

    def excluding(self, dimension: str, value: Value) -> "ViewState":
        """*Exclude this*: taken out of what an earlier filter on the dimension lets pass."""
        before = self.filter_on(dimension) or Filter(dimension, frozenset(), exclude=True)
        values = before.values | {value} if before.exclude else before.values - {value}
        return self.with_filter(replace(before, values=values))

    def without_filter(self, dimension: str) -> "ViewState":
        return replace(self, filters=tuple(item for item in self.filters if item.dimension != dimension))

    def without_filters(self) -> "ViewState":
        return replace(self, filters=(), search="")

    def with_search(self, text: str) -> "ViewState":
        return replace(self, search=text)

    def with_columns(self, columns: Iterable[str]) -> "ViewState":
        columns = tuple(columns)
        return replace(self, columns=columns, order=self._order_without(*(set(self.shown_columns) - set(columns))))

    def with_order(self, order: Iterable[SortKey]) -> "ViewState":
        return replace(self, order=tuple(order))

    def sorted_by(
        self, column: ColumnKey | str, *, add: bool = False, descending_first: bool = False
    ) -> "ViewState":
        """A click on a header: sorts by `column`, or turns its direction; `add` keeps the other keys before it."""
        column = ColumnKey.of(column)
        present = next((key for key in self.order if key.column == column), None)
        key = SortKey(column, descending_first if present is None else not present.descending)
        if not add:
            return replace(self, order=(key,))
        if present is None:
            return replace(self, order=(*self.order, key))
        return replace(self, order=tuple(key if item.column == column else item for item in self.order))

    def with_dataset(self, name: str) -> "ViewState":
        """Another dataset, keeping what both have: range, zone, common grouping, filters and order."""
        data = ViewState(dataset_name=name, grouping=(), profiles=self.profiles).dataset
        grouping = tuple(item for item in self.grouping if data.has_dimension(item)) or data.default_grouping
        kept = {*grouping, *data.default_columns, *(() if self.per is Granularity.TOTAL else (PERIOD,))}
        return replace(
            self,
            dataset_name=name,
            grouping=grouping,
            filters=tuple(item for item in self.filters if data.has_dimension(item.dimension)),
            columns=(),
            order=tuple(key for key in self.order if key.column.name in kept),
        )

    def _order_without(self, *names: str) -> tuple[SortKey, ...]:
        """Returns the order without the columns of some figures and dimensions, those of a pivot included."""
        return tuple(key for key in self.order if key.column.name not in names)


@lru_cache(maxsize=32)
def _periods(span: Span, per: Granularity, zone: tzinfo, week_start: int) -> Periods:
    """Kept: a year's days take 2 ms to find on the calendar, and every click asks for them."""
    found = periods(span, per, zone, week_start)
    found.bounds.flags.writeable = False
    return found


FIRST_VIEW = ViewState(order=(SortKey("input_tokens", descending=True),))
"""What a first start shows: the last 30 days of completions by model, the greatest first."""
