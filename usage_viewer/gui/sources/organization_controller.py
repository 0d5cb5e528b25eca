"""Lists the organizations in a menu and adds, renames, removes, opens and combines them."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.app.profile import organizations as lists
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.errors import InputError
from usage_viewer.gui.sources.organization_dialogs import AddDialog, CombineDialog, RemoveDialog, RenameDialog
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.widgets.plain_text import menu_text
from usage_viewer.gui.workspace.app_context import AppContext
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks

CHANNEL = "organizations"


class OrganizationController(QObject):
    """Offers all commands in `menu`; `current` are the ids that are open: none in the demo or a snapshot."""

    changed = Signal()  # the list, a name, or which one is open
    reported = Signal(str)  # a sentence for the status bar
    failed = Signal(object)  # UsageViewerError

    def __init__(
        self,
        context: AppContext,
        source: SourceController,
        settings: SettingsController,
        tasks: Tasks,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._context, self._source, self._settings, self._tasks = context, source, settings, tasks
        self._window = window
        self.current: tuple[str, ...] = ()
        self.menu = QMenu("&Switch, add or combine", window)
        settings.save_organizations(lists.with_id(self.listed, context.paths.profile))
        source.changed.connect(self._on_source_changed)
        self.changed.connect(self._fill)
        self._fill()  # an empty menu can't be opened on every system

    @property
    def listed(self) -> lists.Organizations:
        """Returns all organizations in the user's order."""
        return self._settings.current.organizations

    def with_id(self, id: str) -> Organization:
        """Return the organization with this id."""
        return next(item for item in self.listed if item.id == id)

    @property
    def label(self) -> str:
        """Returns a short name of the open organizations; "" if none is open."""
        if not self.current:
            return ""
        if len(self.current) == 1:
            return self.with_id(self.current[0]).label
        return (
            "All organizations" if len(self.current) == len(self.listed) else f"{len(self.current)} organizations"
        )

    @property
    def only_default(self) -> bool:
        """Returns whether the first organization is open and the user has never added another one."""
        return len(self.listed) == 1 and self.current == (lists.DEFAULT,)

    def _on_source_changed(self) -> None:
        self.current = self._source.ids
        if len(self.current) == 1:
            self._settings.save_organization(self.current[0])
        self.changed.emit()

    # Commands

    def choose(self, id: str) -> None:
        """Open one organization."""
        try:
            profile = self._context.make_profile(self.with_id(id))
        except InputError as error:
            self.failed.emit(error)
        else:
            self._source.choose_own(profile)

    def combine(self, ids: tuple[str, ...]) -> None:
        """Open several organizations as one. Raises InputError for a server address that can't be used."""
        profiles = [self._context.make_profile(self.with_id(id)) for id in ids]
        self._settings.save_combined(ids)
        self._source.combine(profiles)

    def add(self, label: str, base_url: str = "") -> None:
        """Add and open an organization. Raises InputError."""
        listed = lists.add(self.listed, label, self._context.paths.data_dir, base_url)
        self._settings.save_organizations(listed)
        self.choose(listed[-1].id)

    def use_server(self, base_url: str) -> None:
        """Open the organization that is open on another server, and from now on."""
        try:
            listed = lists.move(self.listed, self.current[0], base_url)
        except InputError as error:
            self.failed.emit(error)
        else:
            self._settings.save_organizations(listed)
            self.choose(self.current[0])

    def rename(self, id: str, label: str) -> None:
        """Change the name of an organization. Raises InputError."""
        self._settings.save_organizations(lists.rename(self.listed, id, label))
        self.changed.emit()

    def remove(self, id: str, *, data: bool, key: bool) -> None:
        """Remove an organization, and its data and key if asked to. Raises InputError.

        If it is open, another one is opened first, so that nothing keeps its files open.
        """
        removed, listed = self.with_id(id), lists.remove(self.listed, id)
        paths = ProfilePaths(self._context.paths.data_dir, id)
        self._settings.save_organizations(listed)
        if id in self.current:
            self.choose(listed[0].id)
        self.changed.emit()

        def work(_task: object) -> str:
            if key:
                self._context.forget_keys(id)
            if data:
                lists.delete_data(paths)
            return f"Removed {removed.label}"

        self._tasks.start(CHANNEL, work, self.reported.emit, self.failed.emit, latest_wins=False)

    # Dialogs

    def ask_to_add(self) -> None:
        """Asks for the name and server of another organization."""
        AddDialog(self._window, self.add).open()

    def ask_to_rename(self) -> None:
        """Asks for another name of the open organization."""
        current = self.with_id(self.current[0])
        RenameDialog(self._window, current.label, partial(self.rename, current.id)).open()

    def ask_to_remove(self) -> None:
        """Asks whether to remove the open organization, its data and its key."""
        current = self.with_id(self.current[0])
        RemoveDialog(
            self._window, current.label, lambda data, key: self.remove(current.id, data=data, key=key)
        ).open()

    def ask_to_combine(self) -> None:
        """Asks which organizations to show together."""
        chosen = self.current if len(self.current) > 1 else self._settings.current.combined
        CombineDialog(self._window, self.listed, chosen, self.combine).open()

    # The menu

    def _fill(self) -> None:
        self.menu.clear()
        group = QActionGroup(self.menu)
        for number, item in enumerate(self.listed, start=1):
            key = f"&{number} " if number < 10 else ""
            action = self.menu.addAction(f"{key}{menu_text(item.label)}")
            action.setCheckable(True)
            action.setChecked(self.current == (item.id,))
            action.triggered.connect(partial(self._on_chosen, item.id))
            group.addAction(action)
        several, single = len(self.listed) > 1, len(self.current) == 1
        self.menu.addSeparator()
        self._add_command("&Combine…", self.ask_to_combine, several)
        self.menu.addSeparator()
        self._add_command("&Add…", self.ask_to_add, True)
        self._add_command("&Rename…", self.ask_to_rename, single)
        self._add_command("Re&move…", self.ask_to_remove, single and several)

    def _add_command(self, text: str, act: Callable[[], None], enabled: bool) -> QAction:
        action = self.menu.addAction(text)
        action.setEnabled(enabled)
        action.triggered.connect(lambda _checked=False: act())
        return action

    def _on_chosen(self, id: str, _checked: bool = False) -> None:
        if self.current != (id,):
            self.choose(id)
