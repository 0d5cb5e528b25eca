"""Defines `CombinedSession`, the session of several organizations whose sums are added exactly."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.app.session.capabilities import COMBINED
from usage_viewer.app.session.comparison import look_at_both
from usage_viewer.app.session.grain_notes import grain_notes
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.app.spend.computed_views import with_default_cost
from usage_viewer.app.verification.verifier import VerificationOutcome
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.compared_view import ComparedView
from usage_viewer.domain.cost_figures import combine_costs
from usage_viewer.domain.coverage import Coverage, Refresh, combine_coverage
from usage_viewer.domain.dataset import PROFILE, Extras
from usage_viewer.domain.errors import Cancelled, KeyMissing, UsageViewerError
from usage_viewer.domain.grants import Grants
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import Span
from usage_viewer.domain.period_status import period_statuses
from usage_viewer.domain.verification import (
    BrokenIdentities,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Completeness,
    Verdict,
)
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import adjust_view, requested_dimensions
from usage_viewer.domain.view_parts import Value
from usage_viewer.query.answer import answer
from usage_viewer.query.plan import plan_view

MAX_LISTED = 1000
"""Largest number of broken identities or changes in a list, for all organizations together."""


class CombinedSession:
    """Implements `Session` over the sessions of several organizations, by profile id.

    `labels`: the organizations' names for the user. `missing_keys`: the reason why a profile has no key.
    The session owns `sessions`.
    """

    capabilities = COMBINED
    store_session = None

    def __init__(
        self,
        sessions: Mapping[str, StoreSession],
        labels: Mapping[str, str],
        *,
        clock: Callable[[], float],
        week_start: int = 0,
        missing_keys: Mapping[str, UsageViewerError] | None = None,
    ) -> None:
        self._sessions, self._labels = dict(sessions), dict(labels)
        self._missing_keys = dict(missing_keys or {})
        self._clock, self._week_start = clock, week_start

    def close(self) -> None:
        """Close the session of every organization."""
        for session in self._sessions.values():
            session.close()

    def check(self, dataset: str | None = None, cancellation: Cancellation | None = None) -> None:
        """Compare the stored usage of every organization with its digests. Raises StoreDamaged, Cancelled."""
        for session in self._sessions.values():
            session.check(dataset, cancellation)

    # Look

    @property
    def now(self) -> int:
        """The current time by the session's clock (epoch seconds)."""
        return int(self._clock())

    @property
    def empty(self) -> bool:
        """Whether no organization has a stored bucket."""
        return all(session.empty for session in self._sessions.values())

    @property
    def names(self) -> Names:
        """The stored names of every organization; of two names for one id, the one that was seen later."""
        newest: dict[tuple[str, str], Name] = {}
        for session in self._sessions.values():
            for key, name in session.names.by_id.items():
                if key not in newest or name.seen > newest[key].seen:
                    newest[key] = name
        organizations = [Name(PROFILE.names, profile, label) for profile, label in self._labels.items()]
        return Names.of([*newest.values(), *organizations])

    def coverage(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, now: int | None = None) -> Coverage:
        """Compare what `view` needs with what is stored, for all organizations together."""
        now = self.now if now is None else now
        parts = [session.coverage(_of_one(view), refresh=refresh, now=now) for session in self._sessions.values()]
        return combine_coverage(parts)

    def look(self, view: ViewState, cancellation: Cancellation | None = None, *, named: bool = True) -> ViewResult:
        """Answer `view` from what is stored in every organization, with names for ids if `named`."""
        now = self.now
        by_default = any(session.shows_cost(_of_one(view), now) for session in self._sessions.values())
        shown = with_default_cost(view) if by_default else view
        names, other = self.names if named else Names(), ComparedView.of(shown)

        def look(side: ViewState) -> ViewResult:
            return self._look(side, now, names, cancellation, by_default)

        if other is None:
            return replace(look(shown), view=view)
        return replace(look_at_both(shown, other, look, names, self._week_start), view=view)

    def _look(
        self, view: ViewState, now: int, names: Names, cancellation: Cancellation | None, cost_by_default: bool
    ) -> ViewResult:
        grants = self._common_grants(view.dataset_name)
        adjusted = adjust_view(view, now, self._week_start, grants)
        one = _of_one(adjusted.view)
        stored = {
            profile: session.stored_view(one, now, cancellation, cost_by_default=cost_by_default)
            for profile, session in self._sessions.items()
        }
        plan = plan_view(
            adjusted.view,
            [replace(source, profile=profile) for profile, item in stored.items() for source in item.sources],
        )
        table, notes = answer(
            adjusted.view,
            plan,
            lambda part, stop: self._sessions[part.profile].read(part, stop),
            names,
            cancellation,
        )
        statuses = [period_statuses(item.coverage, item.held, now) for item in stored.values()]
        absent = frozenset().union(*(item.absent for item in stored.values()))
        grain = [
            f"{self._labels[profile]}: {note}"
            for profile, item in stored.items()
            for note in item.notes + grain_notes(one, item, self._sessions[profile].grants(view.dataset_name))
        ]
        extras = [session.extras(view.dataset_name) for session in self._sessions.values()]
        return ViewResult(
            view,
            table,
            plan.coverage,
            grants.never_granted(dataset_named(view.dataset_name).group_by),
            now,
            np.maximum.reduce(statuses),
            adjusted.view,
            (*adjusted.notes, *grain, *notes),
            Extras(
                tuple(dict.fromkeys(name for one in extras for name in one.figures)),
                tuple(dict.fromkeys(name for one in extras for name in one.values)),
            ),
            (*adjusted.removed, *(name for name in requested_dimensions(adjusted.view) if name in absent)),
            tuple(run for item in stored.values() for run in item.ungranted),
            cost=combine_costs([item.cost for item in stored.values() if item.cost is not None]),
        )

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        """Return every stored value of a dimension in any organization."""
        if dimension == PROFILE.name:
            return tuple(self._sessions)
        stored = (session.values(dataset, dimension) for session in self._sessions.values())
        return tuple(dict.fromkeys(value for values in stored for value in values))

    def _common_grants(self, dataset: str) -> Grants:
        """Return what no organization grants in any range; what only some refuse is not available in their rows."""
        first, *others = (session.grants(dataset) for session in self._sessions.values())
        return Grants(
            tuple(
                item
                for item in first.refusals
                if item.always and all(other.always_refused(item.dimensions) is not None for other in others)
            )
        )

    # Fetch

    @property
    def connected(self) -> bool:
        """Whether at least one organization has a source."""
        return any(session.connected for session in self._sessions.values())

    @property
    def unavailable_datasets(self) -> dict[str, UsageViewerError]:
        """The datasets that are not available from any organization, with the reason of the first."""
        first, *others = [session.unavailable_datasets for session in self._sessions.values()]
        return {name: error for name, error in first.items() if all(name in other for other in others)}

    def fetch(
        self, view: ViewState, cancellation: Cancellation | None = None, *, refresh: Refresh = Refresh.NEEDED
    ) -> Iterator[Progress]:
        """Fetch the organizations one after the other, each from its own server with its own key.

        An error of one organization does not stop the others. The first error is raised at the end, with the
        organization's name in its title.
        """
        single_view, cancellation = _of_one(view), cancellation or Cancellation()
        windows = {
            profile: len(session.windows(single_view, refresh=refresh))
            for profile, session in self._sessions.items()
        }
        total, done = sum(windows.values()), 0
        first_error: UsageViewerError | None = None
        for profile, session in self._sessions.items():
            try:
                for step in session.fetch(single_view, cancellation, refresh=refresh):
                    yield replace(step, done=done + step.done, total=total)
            except Cancelled:
                raise
            except UsageViewerError as error:
                first_error = first_error or self._with_label(profile, error)
            done += windows[profile]
        if first_error is not None:
            raise first_error

    def load_names(self, cancellation: Cancellation | None = None) -> Iterator[str]:
        """Fetch the names of every organization; raise the first error at the end."""
        cancellation = cancellation or Cancellation()
        first_error: UsageViewerError | None = None
        for profile, session in self._sessions.items():
            try:
                yield from session.load_names(cancellation)
            except Cancelled:
                raise
            except UsageViewerError as error:
                first_error = first_error or self._with_label(profile, error)
        if first_error is not None:
            raise first_error

    def fetch_names(self, cancellation: Cancellation | None = None) -> Names:
        """Fetch the names of every organization; raise the first error at the end."""
        for _ in self.load_names(cancellation):
            pass
        return self.names

    def forget_unavailable(self) -> None:
        """Forgets which datasets are not available."""
        for session in self._sessions.values():
            session.forget_unavailable()

    def ask_again(self, dataset: str) -> None:
        """Forget what any organization refused."""
        for session in self._sessions.values():
            session.ask_again(dataset)

    def _with_label(self, profile: str, error: UsageViewerError) -> UsageViewerError:
        """Return the error with the organization's name in its title."""
        if isinstance(error, KeyMissing):
            no_key = KeyMissing(hint="Open this organization alone and enter its key.")
            error = self._missing_keys.get(profile, no_key)
        label = self._labels[profile]
        if not error.title.startswith(f"{label}: "):
            error.title = f"{label}: {error.title}"
        return error

    # Verify

    def completeness(self, view: ViewState, coverage: Coverage | None = None) -> Completeness:
        """Return the combined result of earlier verifications; `coverage` is not used."""
        return _combine([session.completeness(_of_one(view)) for session in self._sessions.values()])

    def requests_to_verify(self, view: ViewState, coverage: Coverage, *, pending_only: bool = False) -> int:
        """Return how many requests `verify` sends in all; `coverage` is not used."""
        single_view = _of_one(view)
        return sum(
            session.requests_to_verify(single_view, session.coverage(single_view), pending_only=pending_only)
            for session in self._sessions.values()
        )

    def verify(
        self,
        view: ViewState,
        cancellation: Cancellation | None = None,
        *,
        refetch: Sequence[Bucket] = (),
        pending_only: bool = False,
    ) -> VerificationOutcome:
        """Verify the organizations one after the other. The first error stops it."""
        single_view, cancellation = _of_one(view), cancellation or Cancellation()
        outcomes = []
        for profile, session in self._sessions.items():
            try:
                outcomes.append(
                    session.verify(single_view, cancellation, refetch=refetch, pending_only=pending_only)
                )
            except Cancelled:
                raise
            except UsageViewerError as error:
                raise self._with_label(profile, error) from error
        completeness = _combine([outcome.completeness for outcome in outcomes])
        return VerificationOutcome(completeness, any(outcome.fetched for outcome in outcomes))

    def broken_identities(self, view: ViewState, cancellation: Cancellation | None = None) -> BrokenIdentities:
        """Find broken identities in every organization; a combination begins with the profile's id."""
        by_profile = {
            profile: session.broken_identities(_of_one(view), cancellation)
            for profile, session in self._filtered(view)
        }
        listed = [
            replace(item, combination=(profile, *item.combination))
            for profile, identities in by_profile.items()
            for item in identities.listed
        ]
        newest = sorted(listed, key=lambda item: -item.bucket.start)[:MAX_LISTED]
        return BrokenIdentities(sum(identities.count for identities in by_profile.values()), tuple(newest))

    def changes(self, dataset: str, span: Span | None, cancellation: Cancellation | None = None) -> Changes:
        """Return the changes in every organization; a combination begins with the profile's id."""
        by_profile = {
            profile: session.changes(dataset, span, cancellation) for profile, session in self._sessions.items()
        }
        listed = [
            replace(item, combination=(profile, *item.combination))
            for profile, changes in by_profile.items()
            for item in changes.listed
        ]
        newest = sorted(listed, key=lambda item: -item.seen_at)[:MAX_LISTED]
        return Changes(sum(changes.count for changes in by_profile.values()), tuple(newest))

    def contributions(
        self, result: ViewResult, cell: Cell, metrics: Sequence[str], cancellation: Cancellation | None = None
    ) -> list[BucketContribution]:
        """Return the contributions of every organization of the cell, ordered by bucket."""
        groups = dict(cell.groups)
        chosen_profile = groups.pop(PROFILE.name, None)
        single_view, single_cell = _of_one(result.view), replace(cell, groups=tuple(groups.items()))
        contributions: list[BucketContribution] = []
        for profile, session in self._filtered(result.view):
            if chosen_profile in (None, profile):
                coverage = session.coverage(single_view, now=self.now)
                single_result = replace(result, view=single_view, coverage=coverage)
                contributions += session.contributions(single_result, single_cell, metrics, cancellation)
        return sorted(contributions, key=lambda item: item.bucket)

    def _filtered(self, view: ViewState) -> Iterable[tuple[str, StoreSession]]:
        """Return the organizations that pass the view's filter on organizations."""
        item = view.filter_on(PROFILE.name)
        return [entry for entry in self._sessions.items() if item is None or item.passes(entry[0])]


def _of_one(view: ViewState) -> ViewState:
    """Return the view without the organizations, as each of them answers it."""
    return view.across(())


def _combine(parts: Sequence[Completeness]) -> Completeness:
    """Combine verdicts: one difference makes the whole differ; all must be verified for the whole to be."""
    verdicts = {part.verdict for part in parts}
    worst = next(
        verdict for verdict in (Verdict.DIFFERS, Verdict.NOT_VERIFIED, Verdict.VERIFIED) if verdict in verdicts
    )
    checked = [part.checked_at for part in parts if part.checked_at is not None]
    return Completeness(
        worst,
        min(checked, default=None) if len(checked) == len(parts) else None,
        sum(part.buckets for part in parts),
        tuple(item for part in parts for item in part.differences),
        tuple(item for part in parts for item in part.growing),
        sum(part.pending for part in parts),
    )
