"""Explains where a view's dimensions are not available."""

from collections.abc import Iterable

from usage_viewer.app.fetch.coverage_reader import StoredView
from usage_viewer.domain.display_text import day_text
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_adjustment import requested_dimensions, together


def grain_notes(view: ViewState, stored: StoredView, grants: Grants) -> tuple[str, ...]:
    """Return a sentence for each combination of dimensions that some buckets of the view lack."""
    needed = frozenset(requested_dimensions(view))
    lacking = list(stored.ungranted)
    notes: dict[str, None] = {}
    for refusal in _causes(needed, lacking, grants):
        notes[f"{together(view, refusal)} is not available{_range(refusal, lacking, stored)}."] = None
    return tuple(notes)


def _causes(needed: frozenset[str], lacking: Iterable[BucketRun], grants: Grants) -> list[Refusal]:
    """Return the refusals of the needed dimensions in these buckets."""
    causes: dict[Refusal, None] = {}
    for run in lacking:
        refusal = grants.refusal_of(needed, run.start)
        if refusal is not None:
            causes[refusal] = None
    return list(causes)


def _range(refusal: Refusal, lacking: list[BucketRun], stored: StoredView) -> str:
    """Return where the dimensions are not available, like " before 6 Dec 2025"."""
    if refusal.until is not None:
        return f" before {day_text(refusal.until)}"
    if refusal.since is not None:
        return f" from {day_text(refusal.since)} on"
    first, last = min(run.start for run in lacking), max(run.end for run in lacking)
    whole = stored.coverage.periods.span
    if first <= whole.start and last >= whole.end:
        return ""
    return f" from {day_text(first)} to {day_text(last - 1)}"
