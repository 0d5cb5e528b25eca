"""Defines `ComparedView`, the other side of a comparison: the same view of an earlier period."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.comparison import Comparison, moved_bounds, shift_of
from usage_viewer.domain.cost_figures import has_costs
from usage_viewer.domain.period import BucketWidth, Periods
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.zones import end_of_day


@dataclass(frozen=True, slots=True)
class ComparedView(ViewState):
    """Determines the table of the compared period: `range` is that of the compared view, moved by `moved_by`.

    It has one period for each period of the compared view, as far as that has elapsed, and is read and fetched as
    any other view.
    """

    moved_by: Comparison = Comparison.PREVIOUS

    @classmethod
    def of(cls, view: ViewState) -> "ComparedView | None":
        """Return the other side of a view; None if the view has no comparison."""
        if view.compare is Comparison.NONE:
            return None
        values = {item.name: getattr(view, item.name) for item in fields(ViewState)}
        values |= {"compare": Comparison.NONE, "include_empty": False}
        return cls(**values, moved_by=view.compare)

    def periods(self, now: int, week_start: int = 0) -> Periods:
        """Return the compared periods that are not empty. Raises InputError."""
        bounds = np.unique(self.moved_bounds(now, week_start))
        return Periods(bounds, self.per, self.tzinfo)

    def moved_bounds(self, now: int, week_start: int = 0) -> NDArray[np.int64]:
        """Return the bounds of the compared period of each period (n + 1,). Raises InputError."""
        own = ViewState.periods(self, now, week_start)
        shift = shift_of(self.moved_by, self.range, now, self.tzinfo, week_start)
        return moved_bounds(own, shift, self.elapsed_until(own, now))

    def elapsed_until(self, own: Periods, now: int) -> int | None:
        """Return the end of the part of the view's own periods that is compared; None if all of them have ended.

        That is the last full hour; the end of today for a dataset without hours, for cost, and for levels, whose
        means are only valid for buckets of one width. At least one hour is compared.
        """
        span = own.span
        if not span.start <= now < span.end:
            return None
        if self.dataset.finest is BucketWidth.DAY or self.dataset.has_levels or has_costs(self.dataset):
            return min(end_of_day(now, own.zone), span.end)
        return min(max(BucketWidth.HOUR.floor(now), span.start + BucketWidth.HOUR.seconds), span.end)


def sides(view: ViewState) -> tuple[ViewState, ...]:
    """Return the views of all usage that a view needs: the view, and the compared one if there is one."""
    other = ComparedView.of(view)
    return (view,) if other is None else (view, other)
