"""Shows which source is open: the title, the organization's name, a snapshot's date, and the available commands."""

from PySide6.QtCore import QObject, Signal

from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.snapshot.archive import SnapshotProfile
from usage_viewer.domain.display_text import visible
from usage_viewer.gui.sources.organization_controller import OrganizationController
from usage_viewer.gui.sources.snapshot_controller import contained_range_text, origin_text
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.window.actions import Actions
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.settings_controller import SettingsController

PROGRAM = "Usage Viewer"


class SourceDisplay(QObject):
    """Follows `SourceController` and `OrganizationController`."""

    title_changed = Signal(str)

    def __init__(
        self,
        source: SourceController,
        organizations: OrganizationController,
        settings: SettingsController,
        actions: Actions,
        page: MainPage,
    ) -> None:
        super().__init__(page)
        self._source, self._organizations, self._settings = source, organizations, settings
        self._actions, self._page = actions, page
        page.organization.set_menu(organizations.menu)
        organizations.menu.triggered.connect(page.focus_table)
        source.opening.connect(self._on_opening)
        source.changed.connect(self._on_changed)
        organizations.changed.connect(self._show_names)

    def _on_opening(self, profile: Profile) -> None:
        manifest = profile.manifest if isinstance(profile, SnapshotProfile) else None
        if manifest is None:
            self._page.show_origin("")
        else:
            self._page.show_origin(origin_text(manifest), contained_range_text(manifest))
        actions = self._actions
        actions.close_snapshot.setVisible(manifest is not None)
        capabilities = profile.capabilities
        for action in (actions.replace_key, actions.forget_key):  # the demo's key is not the user's
            action.setEnabled(capabilities.needs_key and profile is self._source.own_profile)
        actions.erase.setEnabled(capabilities.can_erase)
        for action in (actions.refresh, actions.refetch, actions.ask_again, actions.prove):
            action.setEnabled(capabilities.can_fetch)
        actions.save_snapshot.setEnabled(capabilities.can_save_snapshot)
        self._page.notes.clear()
        self._page.show_loading("Opening…")

    def _on_changed(self, profile: Profile) -> None:
        self._page.notes.set_notice("server", profile.server_note)
        self._page.table.header.set_widths(dict(self._settings.profile.widths))

    def _show_names(self) -> None:
        organizations = self._organizations
        label = organizations.label or self._source.profile.label
        self._page.organization.show_label(label, len(organizations.listed))
        self.title_changed.emit(
            PROGRAM if organizations.only_default or not label else f"{visible(label)} · {PROGRAM}"
        )
