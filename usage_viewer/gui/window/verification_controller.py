"""Shows the results of verification in the badge, in the identity mark and in lists."""

from PySide6.QtCore import QObject

from usage_viewer.domain.table import Column
from usage_viewer.domain.verification import BrokenIdentities, Cell
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.verification.identity_badge import IdentityBadge
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.verification.record_lists import (
    ChangesDialog,
    broken_identities_dialog,
    differences_dialog,
    metrics_of,
    sources_dialog,
)
from usage_viewer.gui.verification.verifier import BackgroundVerifier, CellSources, VerificationState
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.workspace import Workspace

REST = "Others sums up many columns: filter to one of them to list its records."
NOTHING_COMPARED = "The compared period has no such day."


class VerificationController(QObject):
    """Connects the verifier with the page and its commands."""

    def __init__(
        self, verifier: BackgroundVerifier, workspace: Workspace, page: MainPage, actions: Actions
    ) -> None:
        super().__init__(page)
        self._verifier, self._workspace, self._page = verifier, workspace, page
        self.identity_badge = IdentityBadge(page.totals)
        badge = page.status.badge
        verifier.state_changed.connect(self._show_state)
        verifier.broken_identities_changed.connect(self._show_broken_identities)
        verifier.sources_found.connect(self.show_sources)
        badge.verify_requested.connect(verifier.verify)
        badge.refetch_requested.connect(verifier.refetch)
        badge.differences_requested.connect(self.list_differences)
        self.identity_badge.clicked.connect(self.list_broken_identities)
        page.table.origin_requested.connect(self._find_sources)
        connect(actions.prove, verifier.verify)
        connect(actions.changes, lambda: self.list_changes().raise_())
        connect(actions.origins, page.table.ask_for_origin)
        self._show_state(verifier.state)

    def _show_state(self, state: VerificationState) -> None:
        badge = self._page.status.badge
        badge.dataset = self._shown_view.dataset
        badge.show_state(state)
        badge.setVisible(bool(state.extent))  # without a table the badge claims nothing

    def _show_broken_identities(self, broken: BrokenIdentities) -> None:
        self.identity_badge.show_broken_identities(broken)

    @property
    def _shown_view(self) -> ViewState:
        """The view of the table: while another one is requested, lists are still about what is seen."""
        last = self._workspace.last
        return self._workspace.view if last is None else last.view

    def list_differences(self) -> RecordDialog:
        """List the totals that differ from the server's."""
        badge = self._page.status.badge
        completeness = self._verifier.state.completeness
        return self._open(differences_dialog(completeness, badge.dataset, self._workspace.names, self._page))

    def list_broken_identities(self) -> RecordDialog:
        """List the rows whose parts don't add up to their total."""
        data = self._shown_view.dataset
        return self._open(
            broken_identities_dialog(self._verifier.broken_identities, data, self._workspace.names, self._page)
        )

    def list_changes(self) -> RecordDialog:
        """List the figures that the server changed later."""
        workspace = self._workspace
        span = workspace.last.look.coverage.periods.span if workspace.last is not None else None
        listing = ChangesDialog(self._shown_view.dataset, workspace.names, span, self._verifier, self._page)
        return self._open(listing)

    def _find_sources(self, cell: Cell, column: Column) -> None:
        view, result = self._shown_view, self._workspace.last
        if column.key.others:
            self._page.status.show_message(REST)
            return
        if result is not None:
            view = result.look.effective_view
            cell = cell.limited_by(column.key, result.look.coverage.periods)
        metrics = metrics_of(column.name, view.dataset, view.shown_columns)
        if result is None or result.look.compared is None or not column.key.compared:
            self._verifier.find_sources(cell, column.name, metrics)
            return
        from usage_viewer.app.session.comparison import compared_cell  # with the query layer: late

        other = compared_cell(result.look, cell, week_start(self._page.locale()))
        if other is None:
            self._page.status.show_message(NOTHING_COMPARED)
            return
        compared = SortedResult(result.look.compared, result.look.compared.table.ordered(()))
        self._verifier.find_sources(other, column.name, metrics, compared)

    def show_sources(self, sources: CellSources) -> RecordDialog:
        """List the records that a cell adds up."""
        return self._open(sources_dialog(sources, self._workspace.names, self._page))

    def _open(self, listing: RecordDialog) -> RecordDialog:
        listing.open()
        return listing
