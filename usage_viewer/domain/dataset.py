"""What a dataset is made of, as types: dimensions, metrics, derived figures, bucket widths, page limits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from usage_viewer.domain.display_text import visible
from usage_viewer.domain.period import BucketWidth


class Kind(StrEnum):
    """How a figure is stored and shown."""

    COUNT = "count"  # whole numbers, int64
    DECIMAL = "decimal"  # exact decimals: money and quantities
    SHARE = "share"  # a quotient shown in per cent
    RATIO = "ratio"  # a quotient shown with a decimal


class Aggregation(StrEnum):
    """How a metric adds up: `SUM` over everything; `LEVEL` is summed over dimensions, its last value over time."""

    SUM = "sum"
    LEVEL = "level"


class Statistic(StrEnum):
    """What can be said of a level over time, beside its last value."""

    MEAN = "mean"
    PEAK = "peak"


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something usage can be grouped by. Its value in an answer is a string, a bool or null."""

    name: str  # in `group_by` and in results
    label: str
    filter: str = ""  # the request parameter that filters by it, if there is one
    boolean: bool = False
    requested: bool = True  # False: comes with each result unasked, is never sent in `group_by`
    path: tuple[str, ...] = ()  # where it stands in a result, if not at the top under its name
    names: str = ""  # which list names its ids: project, user, api_key


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a result. `required`: its absence makes an answer unusable; else null means "not given"."""

    name: str
    label: str
    unit: str
    kind: Kind = Kind.COUNT
    aggregation: Aggregation = Aggregation.SUM
    required: bool = False
    path: tuple[str, ...] = ()
    help: str = ""
    unit_from: str = ""  # the dimension whose value is this metric's unit: different ones are never added


@dataclass(frozen=True, slots=True)
class OverTime:
    """A level over the buckets of a period: its mean, each bucket weighed by its length, or its peak."""

    name: str
    label: str
    unit: str
    kind: Kind
    level: str  # the metric
    statistic: Statistic
    help: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A figure computed from sums, never averaged over rows: numerator divided by denominator, if there is one."""

    name: str
    label: str
    unit: str
    kind: Kind
    numerator: tuple[str, ...]
    denominator: tuple[str, ...] = ()
    help: str = ""


Figure = Metric | OverTime | Derived
"""What can be a column of figures."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`whole` equals the sum of `parts` wherever all of them are given."""

    whole: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageLimit:
    """Buckets a page: what the server takes without `limit`, and the most it accepts."""

    default: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Dataset:
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
    _by_name: dict[str, Dimension | Figure] = field(
        init=False, repr=False, compare=False, hash=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for item in (*self.dimensions, *self.columns):
            if item.name in self._by_name:
                raise ValueError(f"{self.name}: {item.name} is there twice")
            self._by_name[item.name] = item

    @property
    def widths(self) -> tuple[BucketWidth, ...]:
        """Coarsest first."""
        return tuple(sorted(self.page_limits, key=lambda width: -width.seconds))

    @property
    def has_levels(self) -> bool:
        return any(metric.aggregation is Aggregation.LEVEL for metric in self.metrics)

    @property
    def group_by(self) -> tuple[str, ...]:
        """What may be sent in `group_by`."""
        return tuple(dimension.name for dimension in self.dimensions if dimension.requested)

    @property
    def finest(self) -> BucketWidth:
        return min(self.page_limits, key=lambda width: width.seconds)

    @property
    def columns(self) -> tuple[Figure, ...]:
        """Every figure that can be a column."""
        return (*self.metrics, *self.over_time, *self.derived)

    def dimension(self, name: str) -> Dimension:
        item = self._by_name.get(name)
        if not isinstance(item, Dimension):
            raise KeyError(name)
        return item

    def column(self, name: str) -> Figure:
        item = self._by_name.get(name)
        if item is None or isinstance(item, Dimension):
            raise KeyError(name)
        return item

    def metric(self, name: str) -> Metric:
        item = self._by_name.get(name)
        if not isinstance(item, Metric):
            raise KeyError(name)
        return item

    def has_dimension(self, name: str) -> bool:
        return isinstance(self._by_name.get(name), Dimension)

    def has_column(self, name: str) -> bool:
        return isinstance(self._by_name.get(name), Figure)


PROFILE = Dimension("profile", "Organization", requested=False, names="profile")
"""Whose usage it is, in a view across organizations."""


def across_profiles(dataset: Dataset) -> Dataset:
    """`dataset` as seen across organizations: which one is a dimension more, before all others."""
    return replace(dataset, dimensions=(PROFILE, *dataset.dimensions))


@dataclass(frozen=True, slots=True)
class Extras:
    """Names of fields that this version doesn't know and that answers held: numbers, which add up, and others."""

    figures: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


NO_EXTRAS = Extras()

EXTRA = "extra."
"""Begins the name of a field that this version doesn't know; the field's own name follows."""


def is_extra(name: str) -> bool:
    return name.startswith(EXTRA) and name != EXTRA


def with_extras(dataset: Dataset, dimensions: Iterable[str], metrics: Iterable[str]) -> Dataset:
    """`dataset` with fields that this version doesn't know: what it groups or filters by, and what it adds up."""
    return replace(
        dataset,
        dimensions=(*dataset.dimensions, *map(_extra_dimension, dimensions)),
        metrics=(*dataset.metrics, *map(_extra_metric, metrics)),
    )


def extra_label(name: str) -> str:
    return name.removeprefix(EXTRA)


def _extra_dimension(name: str) -> Dimension:
    return Dimension(name, visible(extra_label(name)), requested=False, path=(extra_label(name),))


def _extra_metric(name: str) -> Metric:
    return Metric(name, visible(extra_label(name)), "", Kind.DECIMAL, path=(extra_label(name),), help=NEWER)


NEWER = "A field of the server's answers that is newer than this version."
