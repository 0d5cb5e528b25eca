"""Fetches the lists of names and stores them while they arrive."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from usage_viewer.app.fetch.ports import Source
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import StoreError, UsageViewerError
from usage_viewer.domain.names import Name, NamePage
from usage_viewer.store import Store

STORE_NAMES_EVERY = 0.5
"""Seconds between transactions that store names: one for each page took longer than the requests."""


def load_names(source: Source, store: Store, clock: Callable[[], int], cancellation: Cancellation) -> Iterator[str]:
    """Fetch and store the lists of names; yield a line for the status bar before a long wait.

    Raises what `source.names` raises; what had arrived by then is stored.
    """
    started = clock()
    pages = source.names(started, store.name_lists_read(), cancellation=cancellation)
    yield from _store_names(pages, store, clock)
    for kind in sorted({item.names for data in DATASETS.values() for item in data.dimensions if item.names}):
        store.mark_deleted(kind, started)


def _store_names(pages: Iterator[NamePage], store: Store, clock: Callable[[], int]) -> Iterator[str]:
    """Store the names of all pages: every `STORE_NAMES_EVERY` seconds, before a wait and at an error."""
    waiting, finished = list[Name](), list[str]()
    stored_at = time.monotonic()

    def write() -> None:
        nonlocal stored_at
        store.remember(waiting)
        store.note_name_lists_read(finished, clock())
        waiting.clear()
        finished.clear()
        stored_at = time.monotonic()

    try:
        for page in pages:
            waiting += page.names
            finished += [page.finished] if page.finished else []
            if page.notice or time.monotonic() - stored_at >= STORE_NAMES_EVERY:
                write()
            if page.notice:
                yield page.notice
    except UsageViewerError:
        with suppress(StoreError):  # the first error is raised
            write()
        raise
    write()
