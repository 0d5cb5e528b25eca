"""`Session`: one organization's store, source and names; its methods are all that a face of the program may do."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.fetch.fetcher import Fetcher
from usage_viewer.app.fetch.window_fetcher import Progress, Source
from usage_viewer.app.verification.verification_log import VerificationLog
from usage_viewer.app.verification.verifier import VerificationOutcome, VerificationRequest, Verifier, calls
from usage_viewer.domain.catalog import DATASETS, dataset_named
from usage_viewer.domain.coverage import Coverage, cover, windows
from usage_viewer.domain.dataset import NO_EXTRAS, Extras
from usage_viewer.domain.errors import KeyMissing, UsageViewerError
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketRun, Span
from usage_viewer.domain.table import Table
from usage_viewer.domain.verification import (
    BrokenIdentities,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Completeness,
    open_periods,
)
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.domain.view_adjustment import AdjustedView, adjust_view
from usage_viewer.query.answer import answer
from usage_viewer.query.plan import FactSource, FactSums, Part, plan_view
from usage_viewer.store import Cancel, Store

WORKERS = 12
"""Windows fetched at a time."""


def kinds_of_names() -> list[str]:
    return sorted({item.names for data in DATASETS.values() for item in data.dimensions if item.names})


class NameSource(Protocol):
    def names(self, now: int, *, cancelled: threading.Event) -> Iterator[list[Name]]:
        """Every name of every list, seen at `now`; an error tells that not all lists were read."""
        ...


@dataclass(frozen=True, slots=True)
class ViewResult:
    """What is held for a view: its table, how far it goes, and the dimensions that are not to be had.

    `answered` is the view as its dataset can show it; `notes` say in words where that is not what was asked for.
    """

    view: ViewState
    table: Table
    coverage: Coverage
    unavailable: tuple[str, ...]
    still_open: NDArray[np.bool_] | None = None  # of each period: whether what is held of it may still grow
    fitted: ViewState | None = None  # None: as asked for
    notes: tuple[str, ...] = ()
    extras: Extras = NO_EXTRAS

    @property
    def answered(self) -> ViewState:
        return self.fitted or self.view


class Session:
    """The verbs. Every method may be called in any thread; `look` and `values` never touch the network."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        workers: int = WORKERS,
        week_start: int = 0,
    ) -> None:
        self._store = store
        self._fetcher: Fetcher | None = None
        self._name_source: NameSource | None = None
        self._clock, self._workers, self._week_start = clock, workers, week_start
        self._ledger = VerificationLog()
        self._prover = Verifier(store, self._ledger, clock=clock, workers=workers)

    can_snapshot = True
    """Whether what is held can be saved as a snapshot."""

    def connect(self, source: Source | None, name_source: NameSource | None = None) -> None:
        """What fetches from now on: another key, say. What fetched before is closed."""
        before, self._name_source = self._fetcher, name_source
        self._fetcher = None if source is None else Fetcher(self._store, source, self._clock, self._workers)
        if before is not None:
            before.source.close()

    @property
    def connected(self) -> bool:
        return self._fetcher is not None

    @property
    def empty(self) -> bool:
        """Whether no bucket of any dataset is held."""
        return not any(len(held.starts) for name in DATASETS for held in self._store.stored_buckets(name).values())

    @property
    def now(self) -> int:
        return int(self._clock())

    @property
    def names(self) -> Names:
        return self._store.names()

    def read(self, part: Part, cancel: Cancel) -> FactSums:
        """Reads the sums of one part of a view. Raises Cancelled, StoreError."""
        return self._store.read(part, cancel)

    def extras(self, dataset: str) -> Extras:
        """Returns the stored fields of a dataset that this version does not know."""
        return self._store.extras(dataset)

    def open_periods(self, dataset: str, coverage: Coverage) -> NDArray[np.bool_]:
        """Returns for each period, (periods,), whether its stored buckets may still grow."""
        return open_periods(coverage, self._store.stored_buckets(dataset))

    def coverage(self, view: ViewState, *, refresh: bool = False, now: int | None = None) -> Coverage:
        """What `view` needs, what of it is held, and what a fetch would bring."""
        now = self.now if now is None else now
        return self._cover(self._fit(view, now), now, refresh=refresh)

    def _fit(self, view: ViewState, now: int) -> AdjustedView:
        return adjust_view(view, now, self._week_start, self._store.refused(view.dataset_name))

    def _cover(self, fitted: AdjustedView, now: int, *, refresh: bool = False) -> Coverage:
        # The mean and the peak of a level say what they say of buckets of one width.
        sums = not fitted.view.dataset.has_levels
        needs = fitted.periods.segments(fitted.view.dataset.widths, mixed=sums)
        held = self._store.stored_buckets(fitted.view.dataset_name)
        return cover(fitted.periods, needs, held, now, refresh=refresh, composed=sums)

    def look(self, view: ViewState, cancel: Cancel | None = None, *, named: bool = True) -> ViewResult:
        """Answers `view` from what is held, with names for ids if `named`.

        Raises Cancelled, StoreError, InputError.
        """
        now = self.now
        fitted = self._fit(view, now)
        coverage = self._cover(fitted, now)
        plan = plan_view(fitted.view, [FactSource("", fitted.view.dataset, coverage)])
        table = answer(fitted.view, plan, self._store.read, self._store.names() if named else Names(), cancel)
        return ViewResult(
            view,
            table,
            coverage,
            self._store.refused(view.dataset_name),
            self.open_periods(view.dataset_name, coverage),
            fitted.view,
            fitted.notes,
            self._store.extras(view.dataset_name),
        )

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        """Every value of a dimension that was ever fetched."""
        return self._store.values(dataset, dimension)

    def fetch(self, view: ViewState, *, cancelled: threading.Event, refresh: bool = False) -> Iterator[Progress]:
        """Brings what `view` lacks, or what may have grown, into the store; yields as it goes.

        Raises what stopped it: CredentialError, NetworkError, ServerError, AnswerError, StoreError, Cancelled.
        Whatever arrived whole before is kept.
        """
        if not self.coverage(view, refresh=refresh).wanted:
            return
        fetcher = self._fetcher
        if fetcher is None:
            raise KeyMissing
        yield from fetcher.fetch(view, lambda: self.windows(view, refresh=refresh), cancelled)

    @property
    def unavailable(self) -> dict[str, UsageViewerError]:
        """The datasets that the server would not give, and why, since the source was connected."""
        fetcher = self._fetcher
        return {} if fetcher is None else dict(fetcher.unavailable)

    def forget_unavailable(self) -> None:
        """Forgets which datasets could not be had."""
        fetcher = self._fetcher
        if fetcher is not None:
            fetcher.unavailable.clear()

    def windows(self, view: ViewState, *, refresh: bool = False) -> list[BucketRun]:
        """The requests that a fetch for `view` begins with, one a window."""
        limits = {width: limit.maximum for width, limit in view.dataset.page_limits.items()}
        return windows(
            self.coverage(view, refresh=refresh).wanted, limits, self._store.stored_buckets(view.dataset_name)
        )

    def forget_refusals(self, dataset: str) -> None:
        """Forgets which dimensions were refused: the next fetch asks for all of them again."""
        self._store.allow_all(dataset)

    def fetch_names(self, *, cancelled: threading.Event) -> Names:
        """Brings the lists of names; those that no list holds any longer are kept as deleted.

        Raises CredentialError, NetworkError, ServerError, AnswerError, StoreError, Cancelled; what came before
        is remembered then, and nothing is taken for deleted.
        """
        if self._name_source is None:
            return self.names
        begun = self.now
        for names in self._name_source.names(begun, cancelled=cancelled):
            self._store.remember(names)
        for kind in kinds_of_names():
            self._store.mark_deleted(kind, begun)
        return self.names

    # What speaks for the figures

    def completeness(self, view: ViewState, coverage: Coverage | None = None) -> Completeness:
        """What is known, without asking, of whether all there is of `view` is held. `coverage`: the view's."""
        coverage = coverage or self.coverage(view)
        return self._ledger.completeness(view.dataset_name, coverage, self._store.stored_buckets(view.dataset_name))

    def calls_to_prove(self, view: ViewState, coverage: Coverage) -> int:
        return len(calls(view.dataset, coverage.read))

    def prove(
        self, view: ViewState, *, cancelled: threading.Event, refetch: Sequence[Bucket] = ()
    ) -> VerificationOutcome:
        """Asks the server without any grouping and compares; `refetch` are fetched again before.

        Open buckets that have grown are fetched again too. Raises what `fetch` raises.
        """
        fetcher = self._fetcher
        if fetcher is None:
            raise KeyMissing
        data, refused = dataset_named(view.dataset_name), self._store.refused(view.dataset_name)
        grouped = tuple(name for name in data.group_by if name not in refused)
        asking = VerificationRequest(fetcher.source, data, grouped, cancelled)
        return self._prover.prove(asking, lambda: self.coverage(view), refetch)

    def breaches(self, view: ViewState, cancel: Cancel | None = None) -> BrokenIdentities:
        """Where the sums that the dataset claims don't hold, in what `view` shows."""
        now = self.now
        fitted = self._fit(view, now)
        return self._store.verification.broken_identities(
            fitted.view, self._cover(fitted, now), self._store.names(), cancel
        )

    def changes(self, dataset: str, span: Span | None, cancel: Cancel | None = None) -> Changes:
        """What a later fetch told otherwise in the last 30 days, in buckets that lie in `span` or anywhere."""
        return self._store.verification.changes(dataset, span, self.now, cancel)

    def origins(
        self, look: ViewResult, cell: Cell, metrics: Sequence[str], cancel: Cancel | None = None
    ) -> list[BucketContribution]:
        """The buckets of a row of the table that `look` shows, with their rows and the sums of `metrics`."""
        return self._store.verification.contributions(
            look.answered, look.coverage, cell, metrics, self._store.names(), cancel
        )

    # Snapshots

    def span(self, view: ViewState) -> Span:
        """The view's range as of now."""
        return self._fit(view, self.now).periods.span

    def save_snapshot(self, view: ViewState, folder: Path, cancel: Cancel | None = None) -> dict[str, int]:
        """Writes what is held of the view's range, of every dataset, into the empty `folder` as plain files.

        Returns each file's rows. Raises Cancelled, StoreError.
        """
        from usage_viewer.store.snapshot.writer import save_snapshot

        return save_snapshot(self._store, folder, self.span(view), cancel)

    def unavailable_dimensions(self) -> dict[str, tuple[str, ...]]:
        """Those that each dataset's API refuses."""
        return {name: self._store.refused(name) for name in DATASETS}

    def remember(self, names: Iterable[Name]) -> None:
        self._store.remember(names)

    def erase(self) -> None:
        """Forgets all usage and names held; the key is not touched."""
        self._store.erase()
        self._ledger.forget()

    def close(self) -> None:
        self.connect(None)
        self._store.close()
