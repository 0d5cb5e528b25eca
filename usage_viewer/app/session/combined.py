"""`CombinedSession`: the verbs of a session over several organizations, whose sums are added exactly."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.app.session.session import Session, ViewResult
from usage_viewer.app.verification.verifier import VerificationOutcome
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.dataset import PROFILE, Extras
from usage_viewer.domain.errors import Cancelled, InputError, KeyMissing, UsageViewerError
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import Span
from usage_viewer.domain.together import together
from usage_viewer.domain.verification import (
    BrokenIdentities,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Completeness,
    Verdict,
)
from usage_viewer.domain.view import Value, ViewState
from usage_viewer.domain.view_adjustment import adjust_view
from usage_viewer.query.answer import answer
from usage_viewer.query.plan import FactSource, plan_view
from usage_viewer.store import Cancel

LISTED = 1000
"""Breaches and changes listed, of all organizations together."""


class CombinedSession(Session):
    """The same verbs over the sessions of several profiles, by id. `labels` are their names for the user."""

    can_snapshot = False

    def __init__(
        self,
        sessions: Mapping[str, Session],
        labels: Mapping[str, str],
        *,
        clock: Callable[[], float],
        week_start: int = 0,
        lacking: Mapping[str, UsageViewerError] | None = None,
    ) -> None:
        """`lacking`: why a profile has no key to fetch with. It owns the sessions."""
        self._sessions, self._labels, self._lacking = dict(sessions), dict(labels), dict(lacking or {})
        self._clock, self._week_start = clock, week_start

    # What is held

    @property
    def connected(self) -> bool:
        return any(session.connected for session in self._sessions.values())

    @property
    def empty(self) -> bool:
        return all(session.empty for session in self._sessions.values())

    @property
    def names(self) -> Names:
        """Of two for one id, that which was seen later."""
        every: dict[tuple[str, str], Name] = {}
        for session in self._sessions.values():
            for key, name in session.names.by_id.items():
                if key not in every or name.seen > every[key].seen:
                    every[key] = name
        own = [Name(PROFILE.names, profile, label) for profile, label in self._labels.items()]
        return Names.of([*every.values(), *own])

    def coverage(self, view: ViewState, *, refresh: bool = False, now: int | None = None) -> Coverage:
        now = self.now if now is None else now
        parts = [session.coverage(_of_one(view), refresh=refresh, now=now) for session in self._sessions.values()]
        return together(parts)

    def look(self, view: ViewState, cancel: Cancel | None = None, *, named: bool = True) -> ViewResult:
        now = self.now
        unavailable = self.unavailable_dimensions()[view.dataset_name]
        fitted = adjust_view(view, now, self._week_start, unavailable)
        one = _of_one(fitted.view)
        sources = [
            FactSource(profile, one.dataset, session.coverage(one, now=now))
            for profile, session in self._sessions.items()
        ]
        plan = plan_view(fitted.view, sources)
        names = self.names if named else Names()
        table = answer(
            fitted.view, plan, lambda part, cancel: self._sessions[part.profile].read(part, cancel), names, cancel
        )
        still_open = [
            self._sessions[source.profile].open_periods(view.dataset_name, source.coverage) for source in sources
        ]
        extras = [session.extras(view.dataset_name) for session in self._sessions.values()]
        return ViewResult(
            view,
            table,
            plan.coverage,
            unavailable,
            np.logical_or.reduce(still_open),
            fitted.view,
            fitted.notes,
            Extras(
                tuple(dict.fromkeys(name for one in extras for name in one.figures)),
                tuple(dict.fromkeys(name for one in extras for name in one.values)),
            ),
        )

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        if dimension == PROFILE.name:
            return tuple(self._sessions)
        found = (session.values(dataset, dimension) for session in self._sessions.values())
        return tuple(dict.fromkeys(value for values in found for value in values))

    def unavailable_dimensions(self) -> dict[str, tuple[str, ...]]:
        listed = [session.unavailable_dimensions() for session in self._sessions.values()]
        return {name: tuple(dict.fromkeys(item for one in listed for item in one[name])) for name in DATASETS}

    # What is fetched

    def fetch(self, view: ViewState, *, cancelled: threading.Event, refresh: bool = False) -> Iterator[Progress]:
        """One organization after the other, each from its own server with its own key. An error of one doesn't
        keep the others from being fetched; the first is raised then, with the organization's name.
        """
        one = _of_one(view)
        counts = {
            profile: len(session.windows(one, refresh=refresh)) for profile, session in self._sessions.items()
        }
        total, done = sum(counts.values()), 0
        first_error: UsageViewerError | None = None
        for profile, session in self._sessions.items():
            try:
                for step in session.fetch(one, cancelled=cancelled, refresh=refresh):
                    yield replace(step, done=done + step.done, total=total)
            except Cancelled:
                raise
            except UsageViewerError as error:
                first_error = first_error or self._named(profile, error)
            done += counts[profile]
        if first_error is not None:
            raise first_error

    def fetch_names(self, *, cancelled: threading.Event) -> Names:
        first_error: UsageViewerError | None = None
        for profile, session in self._sessions.items():
            try:
                session.fetch_names(cancelled=cancelled)
            except Cancelled:
                raise
            except UsageViewerError as error:
                first_error = first_error or self._named(profile, error)
        if first_error is not None:
            raise first_error
        return self.names

    def _named(self, profile: str, error: UsageViewerError) -> UsageViewerError:
        """The same error, with the organization's name in its title."""
        if isinstance(error, KeyMissing):
            error = self._lacking.get(
                profile, KeyMissing(hint="Open this organization by itself and enter its key.")
            )
        label = self._labels[profile]
        if not error.title.startswith(f"{label}: "):
            error.title = f"{label}: {error.title}"
        return error

    @property
    def unavailable(self) -> dict[str, UsageViewerError]:
        """Those that no organization gives."""
        first, *others = [session.unavailable for session in self._sessions.values()]
        return {name: error for name, error in first.items() if all(name in other for other in others)}

    def forget_unavailable(self) -> None:
        for session in self._sessions.values():
            session.forget_unavailable()

    def forget_refusals(self, dataset: str) -> None:
        for session in self._sessions.values():
            session.forget_refusals(dataset)

    # What speaks for the figures

    def completeness(self, view: ViewState, coverage: Coverage | None = None) -> Completeness:
        return _completeness([session.completeness(_of_one(view)) for session in self._sessions.values()])

    def calls_to_prove(self, view: ViewState, coverage: Coverage) -> int:
        one = _of_one(view)
        return sum(session.calls_to_prove(one, session.coverage(one)) for session in self._sessions.values())

    def prove(
        self, view: ViewState, *, cancelled: threading.Event, refetch: Sequence[Bucket] = ()
    ) -> VerificationOutcome:
        proved = []
        for profile, session in self._sessions.items():
            try:
                proved.append(session.prove(_of_one(view), cancelled=cancelled, refetch=refetch))
            except Cancelled:
                raise
            except UsageViewerError as error:
                raise self._named(profile, error) from error
        return VerificationOutcome(
            _completeness([one.completeness for one in proved]), any(one.fetched for one in proved)
        )

    def breaches(self, view: ViewState, cancel: Cancel | None = None) -> BrokenIdentities:
        found = {profile: session.breaches(_of_one(view), cancel) for profile, session in self._seen(view)}
        listed = [
            replace(item, combination=(profile, *item.combination))
            for profile, breaches in found.items()
            for item in breaches.listed
        ]
        newest = sorted(listed, key=lambda item: -item.bucket.start)[:LISTED]
        return BrokenIdentities(sum(breaches.count for breaches in found.values()), tuple(newest))

    def changes(self, dataset: str, span: Span | None, cancel: Cancel | None = None) -> Changes:
        found = {profile: session.changes(dataset, span, cancel) for profile, session in self._sessions.items()}
        listed = [
            replace(item, combination=(profile, *item.combination))
            for profile, changes in found.items()
            for item in changes.listed
        ]
        newest = sorted(listed, key=lambda item: -item.seen_at)[:LISTED]
        return Changes(sum(changes.count for changes in found.values()), tuple(newest))

    def origins(
        self, look: ViewResult, cell: Cell, metrics: Sequence[str], cancel: Cancel | None = None
    ) -> list[BucketContribution]:
        groups = dict(cell.groups)
        profile = groups.pop(PROFILE.name, None)
        one = _of_one(look.view)
        origins: list[BucketContribution] = []
        for name, session in self._seen(look.view):
            if profile in (None, name):
                own = replace(look, view=one, coverage=session.coverage(one, now=self.now))
                origins += session.origins(own, replace(cell, groups=tuple(groups.items())), metrics, cancel)
        return sorted(origins, key=lambda item: item.bucket)

    def _seen(self, view: ViewState) -> Iterable[tuple[str, Session]]:
        """Those that a filter on organizations lets pass."""
        chosen = view.filter_on(PROFILE.name)
        return [item for item in self._sessions.items() if chosen is None or chosen.passes(item[0])]

    # What only one organization can do

    def save_snapshot(self, view: ViewState, folder: Path, cancel: Cancel | None = None) -> dict[str, int]:
        raise InputError(
            title="A combined view can't be saved as a snapshot", hint="Save one of each organization by itself."
        )

    def remember(self, names: Iterable[Name]) -> None:
        raise InputError(title="Names belong to one organization", hint="Open it by itself.")

    def erase(self) -> None:
        raise InputError(title="A combined view can't be erased", hint="Erase each organization by itself.")

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()


def _of_one(view: ViewState) -> ViewState:
    return view.across(())


def _completeness(parts: Sequence[Completeness]) -> Completeness:
    """One that differs makes all differ; all are proven only if each is."""
    verdicts = {part.verdict for part in parts}
    worst = next(one for one in (Verdict.DIFFERS, Verdict.NOT_VERIFIED, Verdict.VERIFIED) if one in verdicts)
    checked = [part.checked_at for part in parts if part.checked_at is not None]
    return Completeness(
        worst,
        min(checked, default=None) if len(checked) == len(parts) else None,
        sum(part.buckets for part in parts),
        tuple(item for part in parts for item in part.differences),
        tuple(item for part in parts for item in part.growing),
    )
