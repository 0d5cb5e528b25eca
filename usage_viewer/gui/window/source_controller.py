"""What the window looks at: an organization, several, the demo or a snapshot; and with which key."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from usage_viewer.app.profile.combined_profile import CombinedProfile
from usage_viewer.app.profile.profile import Demo, Profile
from usage_viewer.app.snapshot.archive import SnapshotProfile
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import Cancelled, KeyMissing, StoreDamaged, UsageViewerError
from usage_viewer.gui.clipboard.copy_controller import range_name
from usage_viewer.gui.sources.demo_controller import DemoController
from usage_viewer.gui.sources.key_controller import CHANNEL as KEY
from usage_viewer.gui.sources.key_controller import KeyController, Loaded
from usage_viewer.gui.sources.key_page import KeyPage
from usage_viewer.gui.sources.organization_controller import OrganizationController
from usage_viewer.gui.sources.snapshot_controller import SnapshotController, origin_text, range_text
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.error_banner import Action
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace


class SourceController(QObject):
    """Opens what the user chooses in place of what is open, and asks for the key where one is needed."""

    failed = Signal(object)  # UsageViewerError, for the banner, with Retry
    stuck = Signal(object, object)  # UsageViewerError, and the Actions that lead on
    key_wanted = Signal()  # the page that asks for it is shown
    began = Signal()  # to open something else
    title_changed = Signal(str)

    def __init__(
        self,
        profile: Profile,
        open_demo: Callable[[], Demo],
        *,
        tasks: Tasks,
        workspace: Workspace,
        remembered: SettingsController,
        keys: KeyController,
        snapshots: SnapshotController,
        organizations: OrganizationController,
        actions: Actions,
        page: MainPage,
        key_page: KeyPage,
        pages: QStackedWidget,
        window: QWidget,
        first_look: QWidget | None = None,
    ) -> None:
        super().__init__(window)
        self.own_profile = profile
        self._demo = DemoController(open_demo, tasks, actions.demo, self)
        self._loaded: Loaded | None = None
        self._tasks, self._workspace, self._remembered = tasks, workspace, remembered
        self._keys, self._snapshots, self._organizations = keys, snapshots, organizations
        self._actions, self._page, self._key_page, self._pages = actions, page, key_page, pages
        self._window, self._first_look = window, first_look
        workspace.session_opened.connect(self._connect_or_ask_for_key)
        workspace.session_failed.connect(self.show_open_error)
        self._connect_key()
        self._connect_organizations()
        self._connect_snapshots()
        connect(actions.demo, self.open_demo)
        self._demo.opened.connect(self.open)
        self._demo.failed.connect(self.failed)

    # Opening

    def open_own(self) -> None:
        """The organization that was chosen last."""
        self.open(self.own_profile)

    def open(self, profile: Profile) -> None:
        self._loaded = None
        self.began.emit()
        ids = profile.member_ids
        self._workspace.view = self._remembered.use_profile(profile.name, ids)
        self._organizations.show_current(ids or ((profile.name,) if profile is self.own_profile else ()))
        self._show_origin(profile)
        self._page.show_view(self._workspace.view)
        self._page.table.header.set_widths(dict(self._remembered.profile.widths))
        self._page.banner.clear()
        self._page.notes.clear()
        if self._first_look is None or self._workspace.profile is not None:
            self.end_first_look()
            self._pages.setCurrentWidget(self._page)
        self._page.say_loading("Opening…")
        self._workspace.open(profile)
        self._on_organizations()
        self._tasks.cancel(KEY)
        if profile.capabilities.needs_key:
            self._keys.load(profile)

    def end_first_look(self) -> None:
        """For when there is something to show in its place."""
        look, self._first_look = self._first_look, None
        if look is not None:
            if self._pages.currentWidget() is look:
                self._pages.setCurrentWidget(self._page)
            self._pages.removeWidget(look)
            look.deleteLater()

    def _show_origin(self, profile: Profile) -> None:
        """What a snapshot is of, and that there is nothing to fetch for it."""
        manifest = profile.manifest if isinstance(profile, SnapshotProfile) else None
        if manifest is None:
            self._page.show_origin("")
        else:
            self._workspace.view = manifest.shown
            self._page.show_origin(origin_text(manifest), range_text(manifest))
        actions = self._actions
        actions.close_snapshot.setVisible(manifest is not None)
        for action in (actions.replace_key, actions.forget_key):
            action.setEnabled(profile.capabilities.needs_key)
        actions.erase.setEnabled(profile.capabilities.can_erase)
        actions.refresh.setEnabled(profile.capabilities.can_fetch)
        actions.prove.setEnabled(profile.capabilities.can_fetch)
        self._page.status.seal.setVisible(profile.capabilities.can_fetch)  # there is nobody to compare it with
        actions.save_snapshot.setEnabled(profile.capabilities.can_save_snapshot)

    def show_open_error(self, error: UsageViewerError) -> None:
        """The data can't be used: offers what can be done about it."""
        profile = self._workspace.profile or self.own_profile
        actions: list[Action] = [("Re&try", lambda: self.open(profile))]
        if isinstance(error, StoreDamaged) and profile is self.own_profile:
            actions.append(("Start &anew", self._start_anew))
        if not profile.capabilities.can_fetch:
            actions.append(("Open &your organization", self.open_own))
        self._page.say_nothing()
        self.stuck.emit(error, actions)

    def _start_anew(self) -> None:
        profile = self.own_profile
        self._workspace.close()  # nothing may write to the file any more, or be taken for the new one
        self._tasks.start(
            "open", lambda task: profile.start_anew(), lambda _: self.open(profile), self.show_open_error
        )

    def facts(self) -> list[tuple[str, str]]:
        """Where the data and the key of what is open are kept."""
        profile = self._workspace.profile or self.own_profile
        if isinstance(profile, SnapshotProfile):
            return [("Snapshot", str(profile.path)), ("Written by", profile.manifest.program)]
        data = str(profile.database) if profile.database is not None else "In memory, gone when the window closes"
        key = self._loaded.place if self._loaded is not None else "The keyring has not answered yet"
        return [("Server", profile.base_url), ("Data", data), ("Key", key)]

    # Organizations

    def _connect_organizations(self) -> None:
        organizations = self._organizations
        self._page.organization.set_menu(organizations.menu)
        organizations.chosen.connect(self._on_organization)
        organizations.combined.connect(self._on_combined)
        organizations.changed.connect(self._on_organizations)
        organizations.said.connect(self._page.status.say)
        organizations.failed.connect(lambda error: self._page.banner.show_error(error, []))

    def _on_organization(self, profile: Profile) -> None:
        self.own_profile = profile
        self.open(profile)
        self._demo.end()

    def _on_combined(self, profiles: list[Profile]) -> None:
        self.open(CombinedProfile(profiles, clock=profiles[0].now))
        self._demo.end()

    def _on_organizations(self) -> None:
        """Another is looked at, or its name or the list has changed."""
        organizations, profile = self._organizations, self._workspace.profile
        label = organizations.label or ("" if profile is None else profile.label)
        self._page.organization.show_label(label, len(organizations.listed))
        alone = len(organizations.listed) == 1 and organizations.current == ("default",)
        self.title_changed.emit("Usage Viewer" if alone or not label else f"{visible(label)} · Usage Viewer")

    def open_demo(self) -> None:
        """Looks at the synthetic organization; back with *Leave the demo*."""
        if self._demo.is_open:
            self.open_own()
            self._demo.end()
            return
        self._page.say_loading("Starting the demo…")
        self.end_first_look()
        self._pages.setCurrentWidget(self._page)
        self._demo.begin()

    def close_demo(self) -> None:
        self._demo.end()

    # Snapshots

    def _connect_snapshots(self) -> None:
        actions, snapshots = self._actions, self._snapshots
        connect(actions.save_snapshot, self._save_snapshot)
        connect(actions.open_snapshot, snapshots.ask_what_to_open)
        connect(actions.close_snapshot, self.open_own)
        snapshots.began.connect(self._page.status.say)
        snapshots.saved.connect(self._page.status.say)
        snapshots.opened.connect(self._on_snapshot_opened)
        snapshots.failed.connect(self._on_snapshot_failed)

    def open_snapshot(self, path: Path) -> None:
        self._page.say_loading("Opening…")
        self._snapshots.open(path)

    def _on_snapshot_opened(self, profile: SnapshotProfile) -> None:
        self.open(profile)
        self._demo.end()

    def _save_snapshot(self) -> None:
        session, profile, view = self._workspace.store_session, self._workspace.profile, self._workspace.view
        if session is not None and profile is not None:
            proposal = f"usage-{range_name(view, self._workspace.now)}"
            self._snapshots.ask_where_to_save(
                proposal, lambda path: self._snapshots.save(session, view, profile.label, path)
            )

    def _on_snapshot_failed(self, error: UsageViewerError) -> None:
        """What was shown before stays."""
        if self._workspace.profile is None:
            self._page.say_nothing()
            self.stuck.emit(error, [("Open &your organization", self.open_own)])
        elif not isinstance(error, Cancelled):
            self._page.banner.show_error(error, [])

    # The key

    def _connect_key(self) -> None:
        keys, key_page, actions = self._keys, self._key_page, self._actions
        keys.loaded.connect(self._on_key_loaded)
        keys.accepted.connect(self._on_key_accepted)
        keys.refused.connect(key_page.show_error)
        keys.forgotten.connect(self._on_key_forgotten)
        keys.forget_failed.connect(self.failed)
        key_page.key_entered.connect(self._on_key_entered)
        key_page.demo_requested.connect(self.open_demo)
        key_page.cancelled.connect(self._on_key_put_off)
        connect(actions.replace_key, lambda: self.ask_for_key(replacing=True))
        connect(actions.forget_key, self._forget_key)

    @property
    def keyring_answered(self) -> bool:
        return self._loaded is not None

    def _on_key_loaded(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._key_page.set_place(loaded.place)
        self._connect_or_ask_for_key()

    def _connect_or_ask_for_key(self) -> None:
        """Once both the data and the keyring have answered: fetch, show what is held, or ask for the key."""
        session, loaded, profile = self._workspace.session, self._loaded, self._workspace.profile
        if session is not None and profile is not None and not profile.capabilities.needs_key:
            if session.connected:
                self._workspace.begin_connected()
            elif profile.capabilities.can_fetch:
                hint = "None of them has a key. Open each by itself and enter its key."
                self.failed.emit(KeyMissing(hint=hint))
            return
        if session is None or loaded is None:
            return
        if loaded.key is not None:
            self._workspace.connect_key(loaded.key)
        elif session.empty:
            self.ask_for_key(replacing=False)
            if loaded.error is not None:
                self._key_page.show_error(loaded.error)
            self.key_wanted.emit()
        else:
            hint = "What is held is shown. Enter an admin key for more."
            self.failed.emit(loaded.error or KeyMissing(hint=hint))

    def ask_for_key(self, *, replacing: bool) -> None:
        self.end_first_look()
        self._key_page.clear()
        several = len(self._organizations.listed) > 1
        self._key_page.set_replacing(replacing, self.own_profile.label if several else "")
        self._pages.setCurrentWidget(self._key_page)

    def _on_key_put_off(self) -> None:
        self._pages.setCurrentWidget(self._page)
        session = self._workspace.session
        if session is not None and session.empty and not session.connected:
            ask = partial(self.ask_for_key, replacing=False)
            self._page.empty.say("There is no key yet", button="Enter a key", act=ask)

    def _on_key_entered(self, key: AdminKey) -> None:
        self._key_page.show_checking()
        self._keys.check_and_keep(self.own_profile, key)

    def _on_key_accepted(self, loaded: Loaded) -> None:
        self._key_page.clear()
        self._loaded = loaded
        self._pages.setCurrentWidget(self._page)
        self._page.banner.clear()
        if loaded.error is not None:
            # A quiet line, which stays: the fetch that begins now would take a banner away.
            title, hint = loaded.error.title, loaded.error.hint
            kept = "The key is not kept: it is in use until the window is closed."
            self._page.notes.say("key", f"{title}. {hint} {kept}")
        if loaded.key is not None:
            self._workspace.connect_key(loaded.key)

    def _forget_key(self) -> None:
        FormDialog(
            self._window,
            "Remove admin key",
            "Remove the admin key of this organization from this computer? Downloaded data stays.",
            "&Remove admin key",
            lambda: self._keys.forget(self.own_profile),
            removes=True,
        ).open()

    def _on_key_forgotten(self) -> None:
        self._workspace.disconnect_key()
        self.ask_for_key(replacing=True)
