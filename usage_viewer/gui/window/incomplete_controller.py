"""Shows in an amber strip which part of the range is not loaded, with one button that helps."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject

from usage_viewer.app.snapshot.archive import SnapshotProfile
from usage_viewer.domain.catalog import COSTS
from usage_viewer.domain.cost_figures import CostCoverage
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketRun
from usage_viewer.gui.formatting.ranges import range_text
from usage_viewer.gui.sources.key_controller import KeyController
from usage_viewer.gui.widgets.strip import Action
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.app.session.result import ViewResult

MAX_RANGES = 3
"""The number of missing ranges that the strip lists."""


class IncompleteController(QObject):
    """Follows the result, the fetch and the error banner.

    While a fetch runs, its progress says what is loaded; while the banner tells a failure, the strip is hidden, so
    that a failure is reported once. Without any usage, the text in place of the table says what is missing.
    """

    def __init__(self, workspace: Workspace, keys: KeyController, page: MainPage) -> None:
        super().__init__(page)
        self._workspace, self._keys, self._page = workspace, keys, page
        workspace.shown.connect(self._update)
        workspace.fetch.running_changed.connect(self._on_fetching)
        workspace.closed.connect(page.incomplete.clear)
        page.banner.changed.connect(self._update)

    def _on_fetching(self, fetching: bool) -> None:
        if fetching:  # at its end the last result is old; the next one comes at once
            self._update()

    def _update(self) -> None:
        workspace, strip, last = self._workspace, self._page.incomplete, self._workspace.last
        if (
            last is None
            or (last.look.coverage.complete and not self._lacks_cost(last.look))
            or self._is_told_in_place_of(last)
            or workspace.fetching
            or self._page.banner.error is not None
            or self._waits_for_the_key
        ):
            strip.clear()
            return
        coverage, cost = last.look.coverage, last.look.cost
        if coverage.complete and cost is not None:
            strip.show_message(*self._about_cost(cost), self._cost_actions(last.look))
            return
        missing = f"Missing: {missing_text(coverage, strip.locale())}."
        strip.show_message(f"Incomplete: {coverage.summary}", missing, self._actions())

    @staticmethod
    def _lacks_cost(look: "ViewResult") -> bool:
        """Report whether the cost of some days is not known, or was loaded before the last change."""
        cost = look.cost
        return cost is not None and (not cost.days.complete or bool(cost.days.stale))

    def _about_cost(self, cost: CostCoverage) -> tuple[str, str]:
        """Return a title and a text about the days whose cost is not known."""
        days, locale = cost.days, self._page.incomplete.locale()
        reason = self._workspace.reason(COSTS.name) if cost.refused else None
        if days.complete:
            return "Cost may have changed", f"Not final when loaded: {runs_text(days.stale, days, locale)}."
        title = f"Cost covers {days.extent.share}" if days.stored else "Cost is not available"
        if reason is not None:
            return title, f"{reason.title}. {reason.hint}".strip()
        return title, f"Missing: {missing_text(days, locale)}."

    def _cost_actions(self, look: "ViewResult") -> list[Action]:
        session, workspace = self._workspace.session, self._workspace
        if look.cost is None or session is None or not session.connected:
            return self._actions() if look.cost is not None and not look.cost.by_default else []
        if not look.cost.by_default:
            return [("Re&try", workspace.refresh)]
        columns = look.effective_view.columns
        return [("&Load cost", lambda: workspace.show_view(workspace.view.with_columns(columns)))]

    def _is_told_in_place_of(self, result: SortedResult) -> bool:
        """Report whether the text in place of the table already says what is missing."""
        if result.table.rows:
            return False
        return not result.view.filtered or self._workspace.reason(result.view.dataset_name) is not None

    @property
    def _waits_for_the_key(self) -> bool:
        profile, session = self._workspace.profile, self._workspace.session
        if profile is None or session is None:
            return True
        return profile.capabilities.needs_key and not session.connected and not self._keys.answered

    def _actions(self) -> list[Action]:
        profile, session = self._workspace.profile, self._workspace.session
        if session is not None and session.connected:
            return [("Re&try", self._workspace.retry)]
        if isinstance(profile, SnapshotProfile):
            return [("Show the &saved range", lambda: self._show_saved_range(profile))]
        if profile is not None and profile.capabilities.needs_key:
            return [("Enter admin &key", self._keys.ask)]
        return []

    def _show_saved_range(self, profile: SnapshotProfile) -> None:
        view, manifest = self._workspace.view, profile.manifest
        start, end = (
            moment.astimezone(view.tzinfo).replace(tzinfo=None) for moment in (manifest.start, manifest.end)
        )
        self._workspace.show_view(view.with_range(DateRange(None, start, end)))


def missing_text(coverage: Coverage, locale: QLocale) -> str:
    """Return the ranges that are missing in the zone of the view, the first ones only if they are many."""
    return runs_text(coverage.missing, coverage, locale)


def runs_text(runs: Sequence[BucketRun], coverage: Coverage, locale: QLocale) -> str:
    """Return runs of a coverage's buckets in the zone of the view, the first ones only if they are many."""
    span, zone = coverage.periods.span, coverage.periods.zone
    joined: list[tuple[int, int]] = []
    for run in sorted(runs, key=lambda run: run.start):
        start, end = max(run.start, span.start), min(run.end, span.end)
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    texts = []
    for ends in joined[:MAX_RANGES]:
        first, last = (datetime.fromtimestamp(moment, zone).replace(tzinfo=None) for moment in ends)
        texts.append(range_text(first, last, locale))
    unlisted = len(joined) - len(texts)
    listed = "; ".join(texts)
    zone_note = " (UTC)" if zone is UTC else ""
    return f"{listed}{zone_note} and {locale.toString(unlisted)} more" if unlisted else f"{listed}{zone_note}"
