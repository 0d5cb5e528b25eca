"""`Session`: one organization's store, source and names; its methods are all that a face of the program may do."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from usage_viewer.app.ledger import Ledger
from usage_viewer.app.proving import Asking, Proved, Prover, calls
from usage_viewer.app.sync import Progress, Source, fetch_windows, is_about_grouping
from usage_viewer.domain.coverage import Coverage, cover, windows
from usage_viewer.domain.dataset import NO_EXTRAS, Extras
from usage_viewer.domain.datasets import DATASETS, dataset_named
from usage_viewer.domain.errors import KeyMissing, NotFound, RequestRefused, ScopeMissing, UsageViewerError
from usage_viewer.domain.fit import Fit, fit
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import Segment, Span, Width
from usage_viewer.domain.proof import Breaches, Bucket, Cell, Changes, Completeness, Origin, open_periods
from usage_viewer.domain.tables import Table
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.store import Cancel, Store

if TYPE_CHECKING:
    from usage_viewer.store.union import Part

WORKERS = 12
"""Windows fetched at a time."""

DAY = Width.DAY.seconds


def kinds_of_names() -> list[str]:
    return sorted({item.names for data in DATASETS.values() for item in data.dimensions if item.names})


class NameSource(Protocol):
    def names(self, now: int, *, cancelled: threading.Event) -> Iterator[list[Name]]:
        """Every name of every list, seen at `now`; an error tells that not all lists were read."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
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
        self._source: Source | None = None
        self._name_source: NameSource | None = None
        self._clock, self._workers, self._week_start = clock, workers, week_start
        self._unavailable: dict[str, UsageViewerError] = {}
        self._answered: set[str] = set()  # datasets of which something came, from the present source
        self._ledger = Ledger()
        self._prover = Prover(store, self._ledger, clock=clock, workers=workers)

    can_snapshot = True
    """Whether what is held can be saved as a snapshot."""

    def connect(self, source: Source | None, name_source: NameSource | None = None) -> None:
        """What fetches from now on: another key, say. What fetched before is closed."""
        before, self._source, self._name_source = self._source, source, name_source
        self._unavailable, self._answered = {}, set()
        if before is not None:
            before.close()

    @property
    def connected(self) -> bool:
        return self._source is not None

    @property
    def empty(self) -> bool:
        """Whether no bucket of any dataset is held."""
        return not any(len(held.starts) for name in DATASETS for held in self._store.held(name).values())

    @property
    def now(self) -> int:
        return int(self._clock())

    @property
    def names(self) -> Names:
        return self._store.names()

    def part(self, profile: str, view: ViewState, now: int) -> "Part":
        """This organization's part in a view across several, as of `now`."""
        from usage_viewer.store.union import Part

        return Part(profile, self._store, self.coverage(view, now=now))

    def coverage(self, view: ViewState, *, refresh: bool = False, now: int | None = None) -> Coverage:
        """What `view` needs, what of it is held, and what a fetch would bring."""
        now = self.now if now is None else now
        return self._cover(self._fit(view, now), now, refresh=refresh)

    def _fit(self, view: ViewState, now: int) -> Fit:
        return fit(view, now, self._week_start, self._store.refused(view.dataset))

    def _cover(self, fitted: Fit, now: int, *, refresh: bool = False) -> Coverage:
        # The mean and the peak of a level say what they say of buckets of one width.
        sums = not fitted.view.data.has_levels
        needs = fitted.periods.segments(fitted.view.data.widths, mixed=sums)
        held = self._store.held(fitted.view.dataset)
        return cover(fitted.periods, needs, held, now, refresh=refresh, composed=sums)

    def look(self, view: ViewState, cancel: Cancel | None = None, *, named: bool = True) -> Look:
        """Answers `view` from what is held, with names for ids if `named`.

        Raises Cancelled, StoreError, InputError.
        """
        now = self.now
        fitted = self._fit(view, now)
        coverage = self._cover(fitted, now)
        table = self._store.answer(fitted.view, coverage, self._store.names() if named else Names(), cancel)
        return Look(
            view,
            table,
            coverage,
            self._store.refused(view.dataset),
            open_periods(coverage, self._store.held(view.dataset)),
            fitted.view,
            fitted.notes,
            self._store.extras(view.dataset),
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
        if self._source is None:
            raise KeyMissing
        came = False
        try:
            for step in self._fetch_as_allowed(self._source, view, cancelled, refresh):
                came = came or step.stored
                if came:
                    self._answered.add(view.dataset)
                yield step
        except UsageViewerError as error:
            if not came and self._is_about_dataset(error, view.dataset):
                self._unavailable[view.dataset] = error
            raise

    def _fetch_as_allowed(
        self, source: Source, view: ViewState, cancelled: threading.Event, refresh: bool
    ) -> Iterator[Progress]:
        """Where the grouping is refused, what is allowed of it is found out and fetched."""
        asked_again = False
        while True:
            try:
                yield from self._fetch_wanted(source, view, cancelled, refresh)
            except RequestRefused as error:
                if asked_again or not is_about_grouping(error):
                    raise
                asked_again = True
                yield from self._learn_dimensions(source, view, error, cancelled)
            else:
                return

    def _is_about_dataset(self, error: UsageViewerError, dataset: str) -> bool:
        """Whether the organization lacks one dataset. A missing scope is the key's, unless others can be read."""
        if isinstance(error, ScopeMissing):
            return bool(self._answered - {dataset})
        return isinstance(error, NotFound) or (isinstance(error, RequestRefused) and error.status == 403)

    @property
    def unavailable(self) -> dict[str, UsageViewerError]:
        """The datasets that the server would not give, and why, since the source was connected."""
        return dict(self._unavailable)

    def ask_all_datasets(self) -> None:
        """Forgets which datasets could not be had."""
        self._unavailable = {}

    def windows(self, view: ViewState, *, refresh: bool = False) -> list[Segment]:
        """The requests that a fetch for `view` begins with, one a window."""
        limits = {width: limit.maximum for width, limit in view.data.page_limits.items()}
        return windows(self.coverage(view, refresh=refresh).wanted, limits, self._store.held(view.dataset))

    def _fetch_wanted(
        self, source: Source, view: ViewState, cancelled: threading.Event, refresh: bool
    ) -> Iterator[Progress]:
        data = dataset_named(view.dataset)  # not with the unknown fields that the view names
        refused = self._store.refused(data.name)
        yield from fetch_windows(
            source,
            data,
            self.windows(view, refresh=refresh),
            tuple(name for name in data.group_by if name not in refused),
            self._store.put,
            cancelled=cancelled,
            clock=self._clock,
            workers=self._workers,
        )

    def _learn_dimensions(
        self, source: Source, view: ViewState, error: RequestRefused, cancelled: threading.Event
    ) -> Iterator[Progress]:
        """Finds out which dimensions the organization refuses, and remembers them; else raises `error`."""
        data = dataset_named(view.dataset)
        yield Progress(0, 0, notice="Asking which dimensions can be had")
        today = Width.DAY.floor(self.now)
        accepted = source.accepted_dimensions(data, Segment(Width.DAY, today - DAY, today), cancelled=cancelled)
        refused = set(data.group_by) - set(accepted)
        if refused <= set(self._store.refused(data.name)):
            raise error
        self._store.refuse(data.name, refused)

    def ask_all_dimensions(self, dataset: str) -> None:
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
        return self._ledger.completeness(view.dataset, coverage, self._store.held(view.dataset))

    def calls_to_prove(self, view: ViewState, coverage: Coverage) -> int:
        return len(calls(view.data, coverage.read))

    def prove(self, view: ViewState, *, cancelled: threading.Event, refetch: Sequence[Bucket] = ()) -> Proved:
        """Asks the server without any grouping and compares; `refetch` are fetched again before.

        Open buckets that have grown are fetched again too. Raises what `fetch` raises.
        """
        if self._source is None:
            raise KeyMissing
        data, refused = dataset_named(view.dataset), self._store.refused(view.dataset)
        grouped = tuple(name for name in data.group_by if name not in refused)
        asking = Asking(self._source, data, grouped, cancelled)
        return self._prover.prove(asking, lambda: self.coverage(view), refetch)

    def breaches(self, view: ViewState, cancel: Cancel | None = None) -> Breaches:
        """Where the sums that the dataset claims don't hold, in what `view` shows."""
        now = self.now
        fitted = self._fit(view, now)
        return self._store.proofs.breaches(fitted.view, self._cover(fitted, now), self._store.names(), cancel)

    def changes(self, dataset: str, span: Span | None, cancel: Cancel | None = None) -> Changes:
        """What a later fetch told otherwise in the last 30 days, in buckets that lie in `span` or anywhere."""
        return self._store.proofs.changes(dataset, span, self.now, cancel)

    def origins(self, look: Look, cell: Cell, metrics: Sequence[str], cancel: Cancel | None = None) -> list[Origin]:
        """The buckets of a row of the table that `look` shows, with their rows and the sums of `metrics`."""
        return self._store.proofs.origins(look.answered, look.coverage, cell, metrics, self._store.names(), cancel)

    # Snapshots

    def span(self, view: ViewState) -> Span:
        """The view's range as of now."""
        return self._fit(view, self.now).periods.span

    def save_snapshot(self, view: ViewState, folder: Path, cancel: Cancel | None = None) -> dict[str, int]:
        """Writes what is held of the view's range, of every dataset, into the empty `folder` as plain files.

        Returns each file's rows. Raises Cancelled, StoreError.
        """
        from usage_viewer.store.snapshot import save_snapshot

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
