"""Defines `Fetcher`, which fetches usage from one source into the store, grouped by every granted dimension."""

from collections.abc import Callable, Iterator

from usage_viewer.app.fetch.coverage_reader import CoverageReader
from usage_viewer.app.fetch.ports import Source
from usage_viewer.app.fetch.window_fetcher import Progress, fetch_windows
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import NotFound, RequestRefused, ScopeMissing, UsageViewerError
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store


class Fetcher:
    """Fetches for as long as its source is in use, and records which datasets are unavailable and why."""

    def __init__(
        self, store: Store, source: Source, coverage: CoverageReader, clock: Callable[[], float], workers: int
    ) -> None:
        self.source = source
        self.unavailable: dict[str, UsageViewerError] = {}
        self._store, self._coverage, self._clock, self._workers = store, coverage, clock, workers
        self._answered: set[str] = set()  # datasets with at least one stored response

    def fetch(
        self, view: ViewState, cancellation: Cancellation, *, refresh: Refresh = Refresh.NEEDED
    ) -> Iterator[Progress]:
        """Fetch the buckets of `view` that are missing or stale; yield each step.

        Complete buckets that arrived before an error stay stored. Raises CredentialError, NetworkError,
        ServerError, AnswerError, StoreError, Cancelled.
        """
        has_stored = False
        try:
            for step in self._fetch_granted(view, cancellation, refresh):
                has_stored = has_stored or step.stored
                if has_stored:
                    self._answered.add(view.dataset_name)
                yield step
        except UsageViewerError as error:
            if not has_stored and self._is_about_dataset(error, view.dataset_name):
                self.unavailable[view.dataset_name] = error
            raise

    def _fetch_granted(self, view: ViewState, cancellation: Cancellation, refresh: Refresh) -> Iterator[Progress]:
        """Fetch; if the grouping is refused, find the granted dimensions and fetch once more."""
        has_probed = False
        while True:
            try:
                yield from self._fetch_windows(view, cancellation, refresh)
            except RequestRefused as error:
                if has_probed or not is_about_grouping(error):
                    raise
                has_probed = True
                yield from self._store_refused_dimensions(view, error, cancellation)
            else:
                return

    def _is_about_dataset(self, error: UsageViewerError, dataset: str) -> bool:
        """Whether the organization lacks one dataset.

        A missing scope concerns the key, unless the key can read other datasets.
        """
        if isinstance(error, ScopeMissing):
            return bool(self._answered - {dataset})
        return isinstance(error, NotFound) or (isinstance(error, RequestRefused) and error.status == 403)

    def _fetch_windows(self, view: ViewState, cancellation: Cancellation, refresh: Refresh) -> Iterator[Progress]:
        dataset = dataset_named(view.dataset_name)  # without the unknown fields that the view names
        refused = self._store.refused(dataset.name)
        yield from fetch_windows(
            self.source,
            dataset,
            self._coverage.windows(view, refresh=refresh),
            tuple(name for name in dataset.group_by if name not in refused),
            self._store.put,
            cancellation=cancellation,
            clock=self._clock,
            workers=self._workers,
        )

    def _store_refused_dimensions(
        self, view: ViewState, error: RequestRefused, cancellation: Cancellation
    ) -> Iterator[Progress]:
        """Store which dimensions the organization refuses. Raises `error` if none is newly refused."""
        dataset = dataset_named(view.dataset_name)
        yield Progress(0, 0, notice="Checking which dimensions are available")
        today = BucketWidth.DAY.floor(int(self._clock()))
        yesterday = BucketRun(BucketWidth.DAY, today - BucketWidth.DAY.seconds, today)
        accepted = self.source.accepted_dimensions(dataset, yesterday, cancellation=cancellation)
        refused = set(dataset.group_by) - set(accepted)
        if refused <= set(self._store.refused(dataset.name)):
            raise error
        self._store.refuse(dataset.name, refused)


def is_about_grouping(error: RequestRefused) -> bool:
    """Whether a refused request (HTTP 400, or 422 of a gateway) may mean that a dimension is not granted."""
    return error.status in (400, 422) and (not error.param or error.param.startswith("group_by"))
