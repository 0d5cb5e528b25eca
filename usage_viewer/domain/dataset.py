"""Defines the parts of a dataset: dimensions, figures, identities and page limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.figures import LazyColumn, Number, NumberColumn, Sums, add, divide
from usage_viewer.domain.period import BucketWidth


class Kind(StrEnum):
    """Tells how a figure is stored and shown."""

    COUNT = "count"  # whole numbers, int64
    DECIMAL = "decimal"  # exact decimals: money and quantities
    SHARE = "share"  # a quotient shown in per cent
    RATIO = "ratio"  # a quotient shown with one decimal

    @property
    def is_quotient(self) -> bool:
        """Whether figures of this kind are quotients."""
        return self in (Kind.SHARE, Kind.RATIO)


class Aggregation(StrEnum):
    """Tells how a metric adds up: `SUM` over everything; `LEVEL` over dimensions, but not over time."""

    SUM = "sum"
    LEVEL = "level"


class Statistic(StrEnum):
    """Names the statistics of a level over the buckets of a period, in addition to its last value."""

    MEAN = "mean"
    PEAK = "peak"


@dataclass(frozen=True, slots=True)
class Dimension:
    """Describes a dimension that usage can be grouped by. Its value in a result is a string, a bool or null."""

    name: str  # in `group_by` and in results
    label: str
    filter: str = ""  # the request parameter that filters by it, if there is one
    boolean: bool = False
    requested: bool = True  # False: is part of each result and never sent in `group_by`
    path: tuple[str, ...] = ()  # its place in a result, if not at the top under its name
    names: str = ""  # the list that names its ids: project, user, api_key


class Figure(Protocol):
    """Describes a figure that can be a column: which metrics it needs and how it is computed from their sums."""

    @property
    def name(self) -> str:
        """The name in requests, settings and exports."""

    @property
    def label(self) -> str:
        """The name for users."""

    @property
    def unit(self) -> str:
        """The unit of the figure, in the plural."""

    @property
    def kind(self) -> Kind:
        """How the figure is stored and shown."""

    @property
    def help(self) -> str:
        """One or two sentences for users; "" for none."""

    @property
    def heading(self) -> str:
        """The label in a table's header."""

    @property
    def statistic(self) -> Statistic | None:
        """The statistic over the buckets of a period; None if the figure needs only sums."""

    @property
    def sums_over_time(self) -> bool:
        """Whether the figures of several periods may be added."""

    @property
    def measured(self) -> str:
        """The name of the metric whose amounts the figure shows, in that metric's unit; "" if it has none."""

    def needs(self) -> tuple[str, ...]:
        """Return the names of the metrics to read."""

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the figure of each row (n,) from the sums of the rows."""

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the figure of one row, such as the totals; None where a sum is missing."""

    def formula(self, dataset: "Dataset") -> str:
        """Return the computation in the labels of its parts, such as `Cached ÷ Input`; "" for a stored figure."""

    def explanation(self, dataset: "Dataset") -> str:
        """Return one sentence for users on how the figure of a row comes about."""


@dataclass(frozen=True, slots=True)
class Metric:
    """Describes a number of a result. A response without a `required` one is unusable; else null is "not given"."""

    name: str
    label: str
    unit: str
    kind: Kind = Kind.COUNT
    aggregation: Aggregation = Aggregation.SUM
    required: bool = False
    path: tuple[str, ...] = ()
    help: str = ""
    unit_from: str = ""  # the dimension whose value is this metric's unit: different ones are never added
    unit_in_heading: bool = False

    @property
    def heading(self) -> str:
        """The label, with the unit if the header shows it."""
        return _heading(self.label, self.unit, self.unit_in_heading)

    @property
    def statistic(self) -> Statistic | None:
        """None: a metric needs only sums."""
        return None

    @property
    def sums_over_time(self) -> bool:
        """Whether the metric is not a level."""
        return self.aggregation is Aggregation.SUM

    @property
    def measured(self) -> str:
        """The metric's own name."""
        return self.name

    def needs(self) -> tuple[str, ...]:
        """Return the metric's own name."""
        return (self.name,)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the sums."""
        return sums[self.name]

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the sum."""
        return sums[self.name]

    def formula(self, dataset: "Dataset") -> str:
        """Return ""."""
        return ""

    def explanation(self, dataset: "Dataset") -> str:
        """Return how the metric adds up."""
        if self.aggregation is Aggregation.SUM:
            return "Sum of all usage in this row."
        return "Amount stored at the end of the period; not added up over time."


@dataclass(frozen=True, slots=True)
class OverTime:
    """Describes a level over the buckets of a period: its peak, or its mean weighted by the buckets' lengths."""

    name: str
    label: str
    unit: str
    kind: Kind
    level: str  # the metric
    statistic: Statistic
    help: str = ""
    unit_in_heading: bool = False

    @property
    def heading(self) -> str:
        """The label, with the unit if the header shows it."""
        return _heading(self.label, self.unit, self.unit_in_heading)

    @property
    def sums_over_time(self) -> bool:
        """False: neither means nor peaks add up."""
        return False

    @property
    def measured(self) -> str:
        """The name of the level."""
        return self.level

    def needs(self) -> tuple[str, ...]:
        """Return the name of the level."""
        return (self.level,)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the statistic of each row, which stands in `sums` under the figure's own name."""
        return sums[self.name]

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the statistic of one row."""
        return sums[self.name]

    def formula(self, dataset: "Dataset") -> str:
        """Return ""."""
        return ""

    def explanation(self, dataset: "Dataset") -> str:
        """Return the meaning of the statistic."""
        if self.statistic is Statistic.PEAK:
            return "Largest amount stored at any time in the period."
        return "Average amount stored during the period."


@dataclass(frozen=True, slots=True)
class Derived:
    """Describes a figure computed from sums: the numerator's sum, divided by the denominator's if there is one.

    It is never an average of the rows' figures.
    """

    name: str
    label: str
    unit: str
    kind: Kind
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    help: str = ""

    @property
    def heading(self) -> str:
        """The label."""
        return self.label

    @property
    def statistic(self) -> Statistic | None:
        """None: a derived figure needs only sums."""
        return None

    @property
    def sums_over_time(self) -> bool:
        """Whether the figure is a sum."""
        return not self.denominator

    @property
    def measured(self) -> str:
        r""" "": the unit is the figure's own."""
        return ""

    def needs(self) -> tuple[str, ...]:
        """Return the names of the numerator and the denominator."""
        return (*self.numerator, *self.denominator)

    def compute(self, sums: Sums) -> NumberColumn:
        """Return the figure of each row (n,); missing where a part is missing or the denominator is 0."""
        parts = {name: sums[name] for name in self.needs()}
        if any(column.values.dtype == np.object_ for column in parts.values()):
            return self._compute(parts)  # exact numbers are added now, in the caller's decimal context
        return LazyColumn(self._compute, parts)

    def _compute(self, parts: Sums) -> NumberColumn:
        numerator = add([parts[name] for name in self.numerator])
        return divide(numerator, add([parts[name] for name in self.denominator])) if self.denominator else numerator

    def compute_one(self, sums: Mapping[str, Number | None]) -> Number | None:
        """Return the figure of one row; None where a part is missing or the denominator is 0."""
        parts = [sums[name] for name in self.needs()]
        present = [part for part in parts if part is not None]
        if len(present) < len(parts):
            return None
        numerator: Any = sum(present[: len(self.numerator)])
        if not self.denominator:
            return numerator  # type: ignore[no-any-return]
        denominator: Any = sum(present[len(self.numerator) :])
        return None if denominator == 0 else float(numerator / denominator)

    def formula(self, dataset: "Dataset") -> str:
        """Return the formula in the labels of the parts."""
        numerator, denominator = (
            [dataset.column(name).label for name in names] for names in (self.numerator, self.denominator)
        )
        if not denominator:
            return " + ".join(numerator)
        return " ÷ ".join(
            f"({' + '.join(labels)})" if len(labels) > 1 else labels[0] for labels in (numerator, denominator)
        )

    def explanation(self, dataset: "Dataset") -> str:
        """Return the formula in a sentence."""
        return f"{self.formula(dataset)}, computed from the sums of this row."


def _heading(label: str, unit: str, with_unit: bool) -> str:
    return f"{label} ({unit})" if with_unit else label


@dataclass(frozen=True, slots=True)
class Identity:
    """States that `whole` equals the sum of `parts` wherever all of them are given."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageLimit:
    """Holds the buckets per page: the server's default without `limit`, and the maximum that it accepts."""

    default: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """Describes one endpoint: its address, dimensions, figures and limits. Names in it are unique.

    Raises ValueError for a duplicate name.
    """

    name: str
    label: str
    path: str
    object: str  # the `object` of each result
    dimensions: tuple[Dimension, ...]
    metrics: tuple[Metric, ...]
    page_limits: Mapping[BucketWidth, PageLimit]
    default_columns: tuple[str, ...]  # names of metrics and derived metrics
    default_grouping: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()
    over_time: tuple[OverTime, ...] = ()
    identities: tuple[Identity, ...] = ()
    _dimensions: dict[str, Dimension] = field(
        init=False, repr=False, compare=False, hash=False, default_factory=dict
    )
    _metrics: dict[str, Metric] = field(init=False, repr=False, compare=False, hash=False, default_factory=dict)
    _figures: dict[str, Figure] = field(init=False, repr=False, compare=False, hash=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._dimensions.update((item.name, item) for item in self.dimensions)
        self._metrics.update((item.name, item) for item in self.metrics)
        self._figures.update((item.name, item) for item in self.columns)
        names = [*(item.name for item in self.dimensions), *(item.name for item in self.columns)]
        if len(set(names)) < len(names):
            duplicate = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{self.name}: duplicate name {duplicate}")

    @property
    def widths(self) -> tuple[BucketWidth, ...]:
        """The widths of buckets, coarsest first."""
        return tuple(sorted(self.page_limits, key=lambda width: -width.seconds))

    @property
    def has_levels(self) -> bool:
        """Whether a metric is a level."""
        return any(metric.aggregation is Aggregation.LEVEL for metric in self.metrics)

    @property
    def group_by(self) -> tuple[str, ...]:
        """The names that may be sent in `group_by`."""
        return tuple(dimension.name for dimension in self.dimensions if dimension.requested)

    @property
    def finest(self) -> BucketWidth:
        """The smallest width of buckets."""
        return min(self.page_limits, key=lambda width: width.seconds)

    @property
    def columns(self) -> tuple[Figure, ...]:
        """All figures: metrics, figures over time, derived figures."""
        return (*self.metrics, *self.over_time, *self.derived)

    def dimension(self, name: str) -> Dimension:
        """Return the dimension. Raises KeyError."""
        return self._dimensions[name]

    def column(self, name: str) -> Figure:
        """Return the figure. Raises KeyError."""
        return self._figures[name]

    def metric(self, name: str) -> Metric:
        """Return the metric. Raises KeyError."""
        return self._metrics[name]

    def has_dimension(self, name: str) -> bool:
        """Report whether the dataset has a dimension of this name."""
        return name in self._dimensions

    def has_column(self, name: str) -> bool:
        """Report whether the dataset has a figure of this name."""
        return name in self._figures


PROFILE = Dimension("profile", "Organization", requested=False, names="profile")
"""The organization of a row, in a view across organizations."""


def across_profiles(dataset: Dataset) -> Dataset:
    """Return the dataset for a view across organizations: the organization is its first dimension."""
    return replace(dataset, dimensions=(PROFILE, *dataset.dimensions))


@dataclass(frozen=True, slots=True)
class Extras:
    """Holds the names of unknown fields in results: `figures` are numbers that add up, `values` are others."""

    figures: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


NO_EXTRAS = Extras()

EXTRA = "extra."
"""The prefix that an unknown field's name has in this program."""


def is_extra(name: str) -> bool:
    """Report whether the name is that of a field which this version doesn't know."""
    return name.startswith(EXTRA) and name != EXTRA


def with_extras(dataset: Dataset, dimensions: Iterable[str], metrics: Iterable[str]) -> Dataset:
    """Return the dataset with unknown fields added: some as dimensions, some as metrics."""
    return replace(
        dataset,
        dimensions=(*dataset.dimensions, *map(_extra_dimension, dimensions)),
        metrics=(*dataset.metrics, *map(_extra_metric, metrics)),
    )


def extra_label(name: str) -> str:
    """Return the unknown field's own name."""
    return name.removeprefix(EXTRA)


def _extra_dimension(name: str) -> Dimension:
    return Dimension(name, visible(extra_label(name)), requested=False, path=(extra_label(name),))


def _extra_metric(name: str) -> Metric:
    return Metric(name, visible(extra_label(name)), "", Kind.DECIMAL, path=(extra_label(name),), help=NEWER)


NEWER = "A new field in the server's responses that this version doesn't know."
