"""Shows the results of verification in the badge, in the identity mark and in lists."""

from PySide6.QtCore import QObject

from usage_viewer.domain.table import Column
from usage_viewer.domain.verification import BrokenIdentities, Cell
from usage_viewer.gui.verification.identity_badge import IdentityBadge
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.verification.record_lists import (
    ChangesList,
    breaches_list,
    differences_list,
    metrics_of,
    origins_list,
)
from usage_viewer.gui.verification.verifier import BackgroundVerifier, Origins, VerificationState
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.workspace import Workspace


class VerificationController(QObject):
    """Connects the verifier with the page and its commands."""

    def __init__(
        self, verifier: BackgroundVerifier, workspace: Workspace, page: MainPage, actions: Actions
    ) -> None:
        super().__init__(page)
        self._verifier, self._workspace, self._page = verifier, workspace, page
        self.identity_badge = IdentityBadge(page.totals)
        badge = page.status.badge
        verifier.changed.connect(self._show_standing)
        verifier.breaches_changed.connect(self._show_breaches)
        verifier.origins_found.connect(self.show_origins)
        badge.check_requested.connect(verifier.check)
        badge.refetch_requested.connect(verifier.refetch)
        badge.list_requested.connect(self.list_differences)
        self.identity_badge.clicked.connect(self.list_breaches)
        page.table.origin_requested.connect(self._find_origins)
        connect(actions.prove, verifier.check)
        connect(actions.changes, lambda: self.list_changes().raise_())
        connect(actions.origins, page.table.ask_for_origin)

    def _show_standing(self, standing: VerificationState) -> None:
        badge = self._page.status.badge
        badge.dataset = (
            self._workspace.view.dataset if self._workspace.last is None else self._workspace.last.view.dataset
        )
        badge.show_standing(standing)

    def _show_breaches(self, breaches: BrokenIdentities) -> None:
        self.identity_badge.show_breaches(breaches)

    def list_differences(self) -> RecordDialog:
        """List the sums that differ from the server's."""
        badge = self._page.status.badge
        completeness = self._verifier.standing.completeness
        return self._open(differences_list(completeness, badge.dataset, self._workspace.names, self._page))

    def list_breaches(self) -> RecordDialog:
        """List the rows whose parts don't add up to their total."""
        data = self._workspace.view.dataset
        return self._open(breaches_list(self._verifier.breaches, data, self._workspace.names, self._page))

    def list_changes(self) -> RecordDialog:
        """List the figures that the server changed later."""
        workspace = self._workspace
        span = workspace.last.look.coverage.periods.span if workspace.last is not None else None
        listing = ChangesList(workspace.view.dataset, workspace.names, span, self._verifier, self._page)
        return self._open(listing)

    def _find_origins(self, cell: Cell, column: Column) -> None:
        view = self._workspace.view
        self._verifier.find_origins(cell, column.name, metrics_of(column.name, view.dataset, view.shown_columns))

    def show_origins(self, origins: Origins) -> RecordDialog:
        """List the records that a cell adds up."""
        return self._open(origins_list(origins, self._workspace.names, self._page))

    def _open(self, listing: RecordDialog) -> RecordDialog:
        listing.open()
        return listing
