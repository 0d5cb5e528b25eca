"""Defines `CoverageReader`, which compares views with one organization's store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.cost_figures import CostCoverage
from usage_viewer.domain.coverage import Coverage, HeldBuckets, Refresh, cover, request_windows
from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.grain import (
    GrainBuckets,
    GrainRuns,
    choose_grains,
    grain_of,
    is_further_grain,
    merge_grains,
    plan_grains,
    runs_to_refine,
    stored_dataset,
)
from usage_viewer.domain.grants import Grants
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import AdjustedView, adjust_view, requested_dimensions
from usage_viewer.query.plan import FactSource
from usage_viewer.store import Store


@dataclass(frozen=True, slots=True)
class StoredView:
    """What is stored of a view: its coverage, the buckets that answer it, and where they are read from.

    `sources` has at least one entry, one for each grain that is read. `to_refine` are stored buckets that lack a
    dimension which may be granted; `coverage` counts them as stale. `notes`: sentences about missing buckets.
    `cost` has the days of the figures of cost, if the view shows any for whole UTC days.
    """

    coverage: Coverage
    held: Mapping[BucketWidth, HeldBuckets]
    sources: tuple[FactSource, ...]
    to_refine: tuple[BucketRun, ...] = ()
    notes: tuple[str, ...] = ()
    cost: CostCoverage | None = None

    @property
    def absent(self) -> frozenset[str]:
        """The dimensions that the view needs and that some of its buckets lack."""
        return frozenset().union(*(source.absent for source in self.sources if not source.dataset.service))

    @property
    def ungranted(self) -> tuple[BucketRun, ...]:
        """The stored buckets that lack such a dimension."""
        lacking = (source for source in self.sources if source.absent and not source.dataset.service)
        return tuple(run for source in lacking for run in source.coverage.read)


class CoverageReader:
    """Computes what a view needs, what the store has of it, and which requests a fetch makes.

    `week_start`: first day of the week, Monday is 0. Every method may be called in any thread. Raises StoreError,
    InputError.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        week_start: int = 0,
        time_of_fetch: Callable[[], float] | None = None,
    ) -> None:
        """`time_of_fetch` returns the time that a bucket fetched now would get (None: that of `clock`)."""
        self._store, self._clock, self.week_start = store, clock, week_start
        self._time_of_fetch = time_of_fetch or clock
        self.computed_grains: Callable[[], tuple[GrainBuckets, ...]] = tuple
        """Returns the buckets of the computed dataset: the days whose inputs are stored."""

    def grains(self, dataset: str) -> tuple[GrainBuckets, ...]:
        """Return the stored buckets of a dataset by grain, at least one grain, the finest ones first."""
        if not dataset_named(dataset).computed:
            return self._store.grains(dataset)
        return self.computed_grains() or self._store.grains(dataset)

    @property
    def now(self) -> int:
        """The current time by the clock (epoch seconds)."""
        return int(self._clock())

    def grants(self, dataset: str, now: int | None = None) -> Grants:
        """Return what the organization is known not to grant at `now` (epoch seconds; None: the clock's time)."""
        return self._store.grants(dataset).valid_at(self.now if now is None else now)

    def adjust(self, view: ViewState, now: int) -> AdjustedView:
        """Adjust `view` to what its dataset and its organization support, as of `now` (epoch seconds)."""
        grants = self.grants(view.dataset_name, now)
        stored = self._grains_within(view, now) if any(item.always for item in grants.refusals) else []
        return adjust_view(view, now, self.week_start, grants, stored)

    def _grains_within(self, view: ViewState, now: int) -> list[frozenset[str]]:
        """Return the grains with a stored bucket in the range of a view: older usage may have more dimensions."""
        bounds = view.periods(now, self.week_start).bounds
        return [
            grain.grain
            for grain in self.grains(view.dataset_name)
            if any(
                bool(((held.starts >= bounds[0]) & (held.starts < bounds[-1])).any())
                for held in grain.held.values()
            )
        ]

    def read(self, adjusted: AdjustedView, now: int, *, refresh: Refresh = Refresh.NEEDED) -> StoredView:
        """Find the stored buckets that answer an adjusted view, and compare them with those that it needs."""
        view = adjusted.view
        # A mean or a peak of a level is valid only for buckets of one width.
        can_mix = not view.dataset.has_levels
        needs = adjusted.periods.segments(view.dataset.widths, mixed=can_mix)
        needed = requested_dimensions(view)
        choice = choose_grains(self.grains(view.dataset_name), needed)
        coverage = cover(
            adjusted.periods,
            needs,
            choice.held,
            now,
            refresh=refresh,
            composed=can_mix,
            time_of_fetch=min(now, int(self._time_of_fetch())),
        )
        sources = tuple(
            FactSource("", _stored_in(view.dataset, grain), part, frozenset(needed) - grain.grain)
            for grain, part in choice.split(coverage)
        )
        lacking = (run for source in sources if source.absent for run in source.coverage.read)
        to_refine = tuple(runs_to_refine(lacking, needed, self.grants(view.dataset_name, now)))
        if to_refine:
            coverage = replace(coverage, stale=(*coverage.stale, *to_refine))
        return StoredView(coverage, choice.held, sources, to_refine)

    def cover(self, adjusted: AdjustedView, now: int, *, refresh: Refresh = Refresh.NEEDED) -> Coverage:
        """Compare the buckets that an adjusted view needs with the stored ones."""
        return self.read(adjusted, now, refresh=refresh).coverage

    def coverage(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, now: int | None = None) -> Coverage:
        """Return the coverage of `view` as of `now` (epoch seconds; None: the clock's time)."""
        moment = self.now if now is None else now
        return self.cover(self.adjust(view, moment), moment, refresh=refresh)

    def requests(
        self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, grants: Grants | None = None
    ) -> list[GrainRuns]:
        """Return the windows that a fetch for `view` begins with, one request each, by grain, the newest first.

        `grants`: what is granted (None: what the store knows).
        """
        now = self.now
        adjusted = self.adjust(view, now)
        known = self.grants(view.dataset_name, now) if grants is None else grants
        dataset = stored_dataset(view.dataset_name)  # without the unknown fields that the view names
        stored, needed = self.read(adjusted, now, refresh=refresh), requested_dimensions(adjusted.view)
        to_fetch = stored.coverage.to_fetch[: len(stored.coverage.to_fetch) - len(stored.to_refine)]
        # A grain without the needed dimensions would not refine what is stored, but coarsen it.
        refining = [
            part
            for part in plan_grains(dataset, stored.to_refine, needed, known)
            if set(needed) <= set(part.grouped)
        ]
        planned = merge_grains([*plan_grains(dataset, to_fetch, needed, known), *refining])
        limits = {width: limit.maximum for width, limit in dataset.page_limits.items()}
        return [
            replace(
                part,
                runs=tuple(request_windows(part.runs, limits, self._store.stored_buckets(part.dataset.name))),
            )
            for part in planned
        ]

    def windows(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED) -> list[BucketRun]:
        """Return the windows that a fetch for `view` begins with, one request each."""
        return [run for part in self.requests(view, refresh=refresh) for run in part.runs]


def _stored_in(dataset: Dataset, grain: GrainBuckets) -> Dataset:
    """Return the dataset of a view as it is stored in a grain."""
    return grain_of(dataset, grain.grain) if is_further_grain(grain.stored_as) else dataset
