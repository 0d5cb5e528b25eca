"""Defines `CoverageReader`, which compares views with one organization's store."""

from collections.abc import Callable

from usage_viewer.domain.coverage import Coverage, Refresh, cover, request_windows
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import AdjustedView, adjust_view
from usage_viewer.store import Store


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
        self._store, self._clock, self._week_start = store, clock, week_start
        self._time_of_fetch = time_of_fetch or clock

    @property
    def now(self) -> int:
        """The current time by the clock (epoch seconds)."""
        return int(self._clock())

    def adjust(self, view: ViewState, now: int) -> AdjustedView:
        """Adjust `view` to what its dataset and its organization support, as of `now` (epoch seconds)."""
        return adjust_view(view, now, self._week_start, self._store.refused(view.dataset_name))

    def cover(self, adjusted: AdjustedView, now: int, *, refresh: Refresh = Refresh.NEEDED) -> Coverage:
        """Compare the buckets that an adjusted view needs with the stored ones."""
        # A mean or a peak of a level is valid only for buckets of one width.
        can_mix = not adjusted.view.dataset.has_levels
        needs = adjusted.periods.segments(adjusted.view.dataset.widths, mixed=can_mix)
        stored = self._store.stored_buckets(adjusted.view.dataset_name)
        return cover(
            adjusted.periods,
            needs,
            stored,
            now,
            refresh=refresh,
            composed=can_mix,
            time_of_fetch=min(now, int(self._time_of_fetch())),
        )

    def coverage(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, now: int | None = None) -> Coverage:
        """Return the coverage of `view` as of `now` (epoch seconds; None: the clock's time)."""
        moment = self.now if now is None else now
        return self.cover(self.adjust(view, moment), moment, refresh=refresh)

    def windows(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED) -> list[BucketRun]:
        """Return the windows that a fetch for `view` begins with, one request each, the newest first."""
        limits = {width: limit.maximum for width, limit in view.dataset.page_limits.items()}
        to_fetch = self.coverage(view, refresh=refresh).to_fetch
        return request_windows(to_fetch, limits, self._store.stored_buckets(view.dataset_name))
