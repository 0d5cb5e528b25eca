"""`Fetcher`: brings usage from one source into the store, grouped by all that the organization allows."""

import threading
from collections.abc import Callable, Iterator

from usage_viewer.app.fetch.window_fetcher import Progress, Source, fetch_windows, is_about_grouping
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.errors import NotFound, RequestRefused, ScopeMissing, UsageViewerError
from usage_viewer.domain.period import BucketRun, BucketWidth
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

Windows = Callable[[], list[BucketRun]]
"""What is to be asked for now: something else once a dimension was refused."""


class Fetcher:
    """Lives as long as its source; remembers which datasets could not be had from it, and why."""

    def __init__(self, store: Store, source: Source, clock: Callable[[], float], workers: int) -> None:
        self.source = source
        self.unavailable: dict[str, UsageViewerError] = {}
        self._store, self._clock, self._workers = store, clock, workers
        self._answered: set[str] = set()  # datasets of which something came

    def fetch(self, view: ViewState, windows: Windows, cancelled: threading.Event) -> Iterator[Progress]:
        """Yields as it goes; raises what stopped it. Whatever arrived whole before is kept."""
        came = False
        try:
            for step in self._fetch_as_allowed(view, windows, cancelled):
                came = came or step.stored
                if came:
                    self._answered.add(view.dataset_name)
                yield step
        except UsageViewerError as error:
            if not came and self._is_about_dataset(error, view.dataset_name):
                self.unavailable[view.dataset_name] = error
            raise

    def _fetch_as_allowed(
        self, view: ViewState, windows: Windows, cancelled: threading.Event
    ) -> Iterator[Progress]:
        """Where the grouping is refused, what is allowed of it is found out and fetched."""
        asked_again = False
        while True:
            try:
                yield from self._fetch_wanted(view, windows, cancelled)
            except RequestRefused as error:
                if asked_again or not is_about_grouping(error):
                    raise
                asked_again = True
                yield from self._learn_dimensions(view, error, cancelled)
            else:
                return

    def _is_about_dataset(self, error: UsageViewerError, dataset: str) -> bool:
        """Whether the organization lacks one dataset. A missing scope is the key's, unless others can be read."""
        if isinstance(error, ScopeMissing):
            return bool(self._answered - {dataset})
        return isinstance(error, NotFound) or (isinstance(error, RequestRefused) and error.status == 403)

    def _fetch_wanted(self, view: ViewState, windows: Windows, cancelled: threading.Event) -> Iterator[Progress]:
        data = dataset_named(view.dataset_name)  # not with the unknown fields that the view names
        refused = self._store.refused(data.name)
        yield from fetch_windows(
            self.source,
            data,
            windows(),
            tuple(name for name in data.group_by if name not in refused),
            self._store.put,
            cancelled=cancelled,
            clock=self._clock,
            workers=self._workers,
        )

    def _learn_dimensions(
        self, view: ViewState, error: RequestRefused, cancelled: threading.Event
    ) -> Iterator[Progress]:
        """Finds out which dimensions the organization refuses, and remembers them; else raises `error`."""
        data = dataset_named(view.dataset_name)
        yield Progress(0, 0, notice="Asking which dimensions can be had")
        today = BucketWidth.DAY.floor(int(self._clock()))
        yesterday = BucketRun(BucketWidth.DAY, today - BucketWidth.DAY.seconds, today)
        accepted = self.source.accepted_dimensions(data, yesterday, cancelled=cancelled)
        refused = set(data.group_by) - set(accepted)
        if refused <= set(self._store.refused(data.name)):
            raise error
        self._store.refuse(data.name, refused)
