"""Decides what screen readers say: what changed in the table, messages, notices and errors."""

from PySide6.QtCore import QObject

from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.moments import count_text
from usage_viewer.gui.table.table_format import direction_text
from usage_viewer.gui.verification.verifier import BackgroundVerifier, VerificationState
from usage_viewer.gui.widgets.announcer import Announcer
from usage_viewer.gui.window.actions import Actions
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.workspace import Workspace


class Announcements(QObject):
    """Announces each thing once, when it can be seen.

    A change of the view is said with the number of rows of its result. While a fetch is running nothing is said of
    the results that arrive; its end is said with the part of the range that is loaded. A verification is said if
    the user asked for it.
    """

    def __init__(
        self,
        workspace: Workspace,
        page: MainPage,
        actions: Actions,
        verifier: BackgroundVerifier,
        announcer: Announcer,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._page, self._announcer = workspace, page, announcer
        self._said: ViewState | None = None
        self._fetched = self._verifying = False
        workspace.shown.connect(self._on_shown)
        workspace.closed.connect(self._on_closed)
        workspace.fetch.running_changed.connect(self._on_fetching)
        page.status.message_shown.connect(announcer.say)
        page.notes.changed.connect(announcer.say)
        page.incomplete.shown.connect(announcer.say)
        page.snapshot.shown.connect(announcer.say)
        page.banner.changed.connect(self._on_error)
        page.status.badge.verify_requested.connect(self._on_verify)
        actions.prove.triggered.connect(self._on_verify)
        verifier.state_changed.connect(self._on_verification)

    def _on_closed(self) -> None:
        self._said, self._fetched = None, False

    def _on_fetching(self, fetching: bool) -> None:
        self._fetched |= fetching  # the result that is read after the end says how it ended

    def _on_verify(self) -> None:
        self._verifying = True

    def _on_verification(self, state: VerificationState) -> None:
        """Say the verdict if the user asked for it; those in the background are silent."""
        if self._verifying and not state.verifying:
            self._verifying = False
            badge = self._page.status.badge
            self._announcer.say(f"{badge.text()}. {badge.accessibleDescription()}")

    def _on_error(self) -> None:
        error = self._page.banner.error
        if error is not None:
            self._announcer.say(f"{error.title}. {error.hint}", urgent=True)

    def _on_shown(self, result: SortedResult) -> None:
        if self._workspace.fetching:
            return
        changes = self._changes(result)
        first, fetched = self._said is None, self._fetched
        self._said, self._fetched = result.view, False
        if not (changes or first or fetched):
            return
        rows = count_text(result.table.rows, "row", self._page.locale())
        reason = "" if result.table.rows else self._page.empty.title
        loaded = result.look.coverage.summary if first or fetched else ""
        self._announcer.say(". ".join(text for text in (*changes, rows, reason, loaded) if text))

    def _changes(self, result: SortedResult) -> list[str]:
        """Return what differs between the view that was announced last and the view of a result."""
        before, view, page = self._said, result.view, self._page
        if before is None or before == view:
            return []
        changes = []
        for differs, text in (
            (before.dataset_name != view.dataset_name, page.dataset.choice),
            (before.range != view.range, page.range.button.choice),
            (before.compare is not view.compare, page.compare.accessibleName()),
            (before.pivot != view.pivot, page.pivot.accessibleName()),
            (before.per is not view.per, page.per.choice),
            (before.zone != view.zone, page.zone.choice),
        ):
            changes += [text] if differs else []
        if before.grouping != view.grouping:
            changes.append(_listed("Grouped by", [view.dataset.dimension(name).label for name in view.grouping]))
        if (before.filters, before.search) != (view.filters, view.search):
            chips = [page.filters.chips[item.dimension].text() for item in view.filters]
            changes.append(_listed("Filtered by", [*chips, *([f"Search: {view.search}"] if view.search else [])]))
        if before.order != view.order:
            changes.append(_listed("Sorted by", _keys(result)))
        return changes


def _listed(heading: str, parts: list[str]) -> str:
    """Return a heading with its parts, or that there are none: "Not grouped"."""
    return f"{heading} {', '.join(parts)}" if parts else f"Not {heading.split()[0].lower()}"


def _keys(result: SortedResult) -> list[str]:
    columns = result.table.by_key
    return [
        f"{columns[key.column].label} {direction_text(descending=key.descending)}"
        for key in result.view.order
        if key.column in columns
    ]
