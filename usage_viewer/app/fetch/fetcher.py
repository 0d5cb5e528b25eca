"""Defines `Fetcher`, which fetches usage from one source into the store, grouped by every granted dimension."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from usage_viewer.app.fetch.coverage_reader import CoverageReader
from usage_viewer.app.fetch.grant_learner import GrantLearner
from usage_viewer.app.fetch.ports import Source
from usage_viewer.app.fetch.window_fetcher import GroupingRefused, Progress, fetch_windows
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import ScopeMissing, UsageViewerError
from usage_viewer.domain.grain import GrainRuns, dataset_name, stored_dataset
from usage_viewer.domain.grants import LEARNT_FOR
from usage_viewer.domain.network_errors import NotFound, RequestRefused
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

MAX_UNPROBED = 3
"""Before more windows are requested side by side, one small request asks whether the oldest is granted."""


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

    def count_requests(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED) -> int:
        """Return how many requests a fetch of `view` begins with."""
        return len(self._coverage.windows(view, refresh=refresh))

    def _fetch_granted(self, view: ViewState, cancellation: Cancellation, refresh: Refresh) -> Iterator[Progress]:
        """Fetch; after each refused grouping, learn what is granted and fetch the rest."""
        dataset = stored_dataset(view.dataset_name)  # without the unknown fields that the view names
        learner = GrantLearner(self._store, self.source, dataset, self._clock, cancellation)
        while True:
            requests = self._coverage.requests(view, refresh=refresh, grants=learner.grants)
            try:
                yield from self._fetch_grains(requests, learner, cancellation)
            except GroupingRefused as refused:
                yield Progress(0, 0, notice="Checking which groupings are available")
                learner.learn(refused)
            else:
                return

    def _is_about_dataset(self, error: UsageViewerError, dataset: str) -> bool:
        """Whether the organization lacks one dataset.

        A missing scope concerns the key, unless the key can read other datasets.
        """
        if isinstance(error, ScopeMissing):
            return bool(self._answered - {dataset})
        return isinstance(error, NotFound) or (isinstance(error, RequestRefused) and error.status == 403)

    def _fetch_grains(
        self, requests: Sequence[GrainRuns], learner: GrantLearner, cancellation: Cancellation
    ) -> Iterator[Progress]:
        """Fetch the windows of each grain. Raises GroupingRefused, and what `fetch` raises."""
        total, done = sum(len(part.runs) for part in requests), 0
        yield Progress(0, total)
        for part in requests:
            several = len(part.runs) > max(1, min(learner.left, MAX_UNPROBED))
            if several and part.grouped and not self._is_known(part):
                learner.count_probe()
                for step in self._fetch_oldest(part, cancellation):
                    yield replace(step, done=done, total=total)
            for step in self._fetch_windows(part, part.runs, cancellation):
                yield replace(step, done=done + step.done, total=total)
            done += len(part.runs)

    def _is_known(self, part: GrainRuns) -> bool:
        """Whether usage as old as the oldest window was fetched in this grain, not too long ago."""
        oldest, since = part.runs[-1].start, int(self._clock()) - LEARNT_FOR
        return any(
            grain.stored_as == part.dataset.name
            and grain.grain == set(part.grouped)
            and bool(((held.starts <= oldest) & (held.fetched >= since)).any())
            for grain in self._store.grains(dataset_name(part.dataset.name))
            for held in grain.held.values()
        )

    def _fetch_oldest(self, part: GrainRuns, cancellation: Cancellation) -> Iterator[Progress]:
        """Fetch the oldest bucket alone, to see whether it is granted. Raises GroupingRefused."""
        oldest = part.runs[-1]
        bucket = BucketRun(oldest.width, oldest.start, oldest.start + oldest.width.seconds)
        try:
            yield from self._fetch_windows(part, (bucket,), cancellation)
        except GroupingRefused as refused:
            raise GroupingRefused(
                oldest, part.grouped, refused.error, requests=0
            ) from None  # it is counted already

    def _fetch_windows(
        self, part: GrainRuns, windows: Sequence[BucketRun], cancellation: Cancellation
    ) -> Iterator[Progress]:
        yield from fetch_windows(
            self.source,
            part.dataset,
            windows,
            part.grouped,
            self._store.put,
            cancellation=cancellation,
            clock=self._clock,
            workers=self._workers,
        )
