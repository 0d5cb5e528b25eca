"""Shows the results of verification: the badge, the identity mark and the lists."""

from PySide6.QtCore import QObject

from usage_viewer.domain.table import Column
from usage_viewer.domain.verification import BrokenIdentities, Cell
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
from usage_viewer.gui.workspace.workspace import Workspace


class VerificationController(QObject):
    """Connects them with the page and its commands; lives as long as the window."""

    def __init__(self, proofs: BackgroundVerifier, workspace: Workspace, page: MainPage, actions: Actions) -> None:
        super().__init__(page)
        self._proofs, self._workspace, self._page = proofs, workspace, page
        self.mark = IdentityBadge(page.totals)
        seal = page.status.seal
        proofs.state_changed.connect(self._show_standing)
        proofs.broken_identities_changed.connect(self._show_breaches)
        proofs.sources_found.connect(self.show_origins)
        seal.verify_requested.connect(proofs.verify)
        seal.refetch_requested.connect(proofs.refetch)
        seal.differences_requested.connect(self.list_differences)
        self.mark.clicked.connect(self.list_breaches)
        page.table.origin_requested.connect(self._find_origins)
        connect(actions.prove, proofs.verify)
        connect(actions.changes, lambda: self.list_changes().raise_())
        connect(actions.origins, page.table.ask_for_origin)

    def _show_standing(self, standing: VerificationState) -> None:
        seal = self._page.status.seal
        seal.dataset = (
            self._workspace.view.dataset if self._workspace.last is None else self._workspace.last.view.dataset
        )
        seal.show_state(standing)

    def _show_breaches(self, breaches: BrokenIdentities) -> None:
        self.mark.show_broken_identities(breaches)

    def list_differences(self) -> RecordDialog:
        seal = self._page.status.seal
        completeness = self._proofs.state.completeness
        return self._open(differences_dialog(completeness, seal.dataset, self._workspace.names, self._page))

    def list_breaches(self) -> RecordDialog:
        data = self._workspace.view.dataset
        return self._open(
            broken_identities_dialog(self._proofs.broken_identities, data, self._workspace.names, self._page)
        )

    def list_changes(self) -> RecordDialog:
        workspace = self._workspace
        span = workspace.last.look.coverage.periods.span if workspace.last is not None else None
        listing = ChangesDialog(workspace.view.dataset, workspace.names, span, self._proofs, self._page)
        return self._open(listing)

    def _find_origins(self, cell: Cell, column: Column) -> None:
        view = self._workspace.view
        self._proofs.find_sources(cell, column.name, metrics_of(column.name, view.dataset, view.shown_columns))

    def show_origins(self, origins: CellSources) -> RecordDialog:
        return self._open(sources_dialog(origins, self._workspace.names, self._page))

    def _open(self, listing: RecordDialog) -> RecordDialog:
        listing.open()
        return listing
