"""Defines the parts of a dataset: dimensions, figures, identities and page limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.metrics import (
    MONEY,
    Aggregation,
    Derived,
    Figure,
    Kind,
    Metric,
    OverTime,
    Statistic,
    UnitPrice,
)
from usage_viewer.domain.period import BucketWidth

__all__ = [
    "EXTRA",
    "MONEY",
    "NEWER",
    "NO_EXTRAS",
    "PROFILE",
    "Aggregation",
    "Dataset",
    "Derived",
    "Dimension",
    "Extras",
    "Figure",
    "Identity",
    "Kind",
    "Metric",
    "OverTime",
    "PageLimit",
    "Statistic",
    "UnitPrice",
    "across_profiles",
    "extra_label",
    "is_extra",
    "with_extras",
]


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
    name_field: str = ""  # the field of a result that has the id's name, if there is one
    none: str = "(none)"  # what a result without a value is displayed as
    capitals: bool = False  # its values, such as "usd", are displayed in capitals
    labels: tuple[tuple[str, str], ...] = ()  # values and their texts for users, if the program defines them


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
    """Describes one endpoint, or a computed dataset: dimensions, figures and limits. Names in it are unique.

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
    always_grouped: tuple[str, ...] = ()  # dimensions that every request is grouped by, if granted
    largest_first: str = ""  # the figure that rows without periods are sorted by at first, if there is one
    derived: tuple[Derived, ...] = ()
    prices: tuple[UnitPrice, ...] = ()
    over_time: tuple[OverTime, ...] = ()
    identities: tuple[Identity, ...] = ()
    computed: bool = False  # made on this computer from other datasets; no request has its name
    service: str = ""  # of a computed dataset: only its rows of this usage dataset are read
    origin: str = ""  # what it is computed from, for the source line of copies
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
        """All figures: metrics, figures over time, derived figures, prices."""
        return (*self.metrics, *self.over_time, *self.derived, *self.prices)

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
