"""`OrganizationController`: which ones there are, which is looked at, and what a user can do with the list."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.app.profile import organizations as lists
from usage_viewer.app.profile.organizations import Organization
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.errors import InputError
from usage_viewer.gui.sources.organization_dialogs import AddDialog, CombineDialog, RemoveDialog, RenameDialog
from usage_viewer.gui.widgets.plain_text import menu_text
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks

CHANNEL = "organizations"

MakeProfile = Callable[[Organization], Profile]


class OrganizationController(QObject):
    """Its signals say what the window is to show; `menu` offers everything."""

    changed = Signal()  # the list, a name, or which is looked at
    chosen = Signal(object)  # Profile
    combined = Signal(object)  # the Profiles to be shown together
    said = Signal(str)
    failed = Signal(object)  # UsageViewerError

    def __init__(
        self,
        remembered: SettingsController,
        tasks: Tasks,
        place: ProfilePaths,
        make_profile: MakeProfile,
        menu: QMenu,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._remembered, self._tasks, self._place, self._make = remembered, tasks, place, make_profile
        self._window = window
        self.current: tuple[str, ...] = ()  # ids: none in the demo or a snapshot, several in a combined view
        remembered.organizations(lists.with_id(self.listed, place.profile))
        self.menu = menu
        self.changed.connect(self._fill)
        self._fill()  # an empty menu can't be opened on every system

    @property
    def listed(self) -> lists.Organizations:
        return self._remembered.settings.organizations

    def named(self, id: str) -> Organization:
        return next(one for one in self.listed if one.id == id)

    @property
    def label(self) -> str:
        """What is looked at, in short."""
        if not self.current:
            return ""
        if len(self.current) == 1:
            return self.named(self.current[0]).label
        return (
            "All organizations" if len(self.current) == len(self.listed) else f"{len(self.current)} organizations"
        )

    def show_current(self, ids: tuple[str, ...]) -> None:
        """What the window shows now."""
        self.current = ids
        if len(ids) == 1:
            self._remembered.organization(ids[0])
        self.changed.emit()

    # What a user can do

    def choose(self, id: str) -> None:
        try:
            profile = self._make(self.named(id))
        except InputError as error:
            self.failed.emit(error)
        else:
            self.chosen.emit(profile)

    def combine(self, ids: tuple[str, ...]) -> None:
        """Raises InputError for a server's address that can't be used."""
        profiles = [self._make(self.named(id)) for id in ids]
        self._remembered.combined(ids)
        self.combined.emit(profiles)

    def add(self, label: str, base_url: str = "") -> None:
        """Raises InputError."""
        listed = lists.add(self.listed, label, self._place.data_dir, base_url)
        self._remembered.organizations(listed)
        self.choose(listed[-1].id)

    def rename(self, id: str, label: str) -> None:
        """Raises InputError."""
        self._remembered.organizations(lists.rename(self.listed, id, label))
        self.changed.emit()

    def remove(self, id: str, *, data: bool, key: bool) -> None:
        """What it looks at is left first, so that nothing holds the data. Raises InputError."""
        gone, listed = self.named(id), lists.remove(self.listed, id)
        profile = self._make(gone) if key else None
        place = ProfilePaths(self._place.data_dir, id)
        self._remembered.organizations(listed)
        if id in self.current:
            self.choose(listed[0].id)
        self.changed.emit()

        def work(_task: object) -> str:
            if profile is not None:
                profile.keystore.forget()
            if data:
                lists.delete_data(place)
            return f"{gone.label} was removed"

        self._tasks.start(CHANNEL, work, self.said.emit, self.failed.emit, latest_wins=False)

    # The dialogs

    def ask_to_add(self) -> None:
        AddDialog(self._window, self.add).open()

    def ask_to_rename(self) -> None:
        one = self.named(self.current[0])
        RenameDialog(self._window, one.label, partial(self.rename, one.id)).open()

    def ask_to_remove(self) -> None:
        one = self.named(self.current[0])
        RemoveDialog(self._window, one.label, lambda data, key: self.remove(one.id, data=data, key=key)).open()

    def ask_to_combine(self) -> None:
        chosen = self.current if len(self.current) > 1 else self._remembered.settings.combined
        CombineDialog(self._window, self.listed, chosen, self.combine).open()

    # The menu

    def _fill(self) -> None:
        self.menu.clear()
        group = QActionGroup(self.menu)
        for number, one in enumerate(self.listed, start=1):
            key = f"&{number} " if number < 10 else ""
            entry = self.menu.addAction(f"{key}{menu_text(one.label)}")
            entry.setCheckable(True)
            entry.setChecked(self.current == (one.id,))
            entry.triggered.connect(partial(self._on_chosen, one.id))
            group.addAction(entry)
        several, single = len(self.listed) > 1, len(self.current) == 1
        self.menu.addSeparator()
        self._offer("&Combine…", self.ask_to_combine, several)
        self.menu.addSeparator()
        self._offer("&Add…", self.ask_to_add, True)
        self._offer("&Rename…", self.ask_to_rename, single)
        self._offer("Re&move…", self.ask_to_remove, single and several)

    def _offer(self, text: str, act: Callable[[], None], enabled: bool) -> QAction:
        entry = self.menu.addAction(text)
        entry.setEnabled(enabled)
        entry.triggered.connect(lambda _checked=False: act())
        return entry

    def _on_chosen(self, id: str, _checked: bool = False) -> None:
        if self.current != (id,):
            self.choose(id)
