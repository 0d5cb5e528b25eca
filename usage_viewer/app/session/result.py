"""Defines `ViewResult`, the answer to a view."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.cost_figures import CostCoverage
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import NO_EXTRAS, Extras
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState


@dataclass(frozen=True, slots=True)
class ViewResult:
    """The stored data of a view: its table, its coverage, and what the organization or the dataset lacks."""

    view: ViewState
    table: Table
    coverage: Coverage
    unavailable_dimensions: tuple[str, ...]
    now: int = 0  # the time of the answer by the session's clock, epoch seconds
    statuses: NDArray[np.int8] | None = None  # the PeriodStatus of each period at `now`
    adjusted_view: ViewState | None = None  # None: as requested
    notes: tuple[str, ...] = ()  # one sentence for each way in which the adjusted view differs
    extras: Extras = NO_EXTRAS
    lacking: tuple[str, ...] = ()  # dimensions of the view that are not granted in all its range
    ungranted: tuple[BucketRun, ...] = ()  # the buckets that lack such a dimension
    compared: "ViewResult | None" = None  # the compared period, whose figures the table has too
    cost: CostCoverage | None = None  # the days whose cost is known, if the table shows it beside usage

    @property
    def effective_view(self) -> ViewState:
        """The view as its dataset supports it."""
        return self.adjusted_view or self.view

    @property
    def complete(self) -> bool:
        """Whether every bucket that has begun is stored, also of the compared period."""
        return all(part.coverage.complete for part in self.sides)

    @property
    def sides(self) -> "tuple[ViewResult, ...]":
        """The result and that of the compared period, if there is one."""
        return (self,) if self.compared is None else (self, self.compared)

    @property
    def to_fetch(self) -> tuple[BucketRun, ...]:
        """The runs of buckets to fetch, also of the compared period."""
        costs = (part.cost.to_fetch for part in self.sides if part.cost is not None)
        return tuple(run for runs in (*(part.coverage.to_fetch for part in self.sides), *costs) for run in runs)

    @property
    def compared_coverage(self) -> Coverage | None:
        """The stored and missing buckets of the compared period; None without a comparison."""
        return None if self.compared is None else self.compared.coverage
