"""Opens the user's choice of data in place of what is open: an organization, several, the demo or a snapshot."""

from PySide6.QtCore import QObject, Signal

from usage_viewer.app.profile.combined_profile import CombinedProfile
from usage_viewer.app.profile.organizations import FIRST_LABEL
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.snapshot.archive import SnapshotProfile
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace


class SourceController(QObject):
    """Knows which profile is open, and the user's own one to go back to."""

    opening = Signal(object)  # Profile, before the data of the last one is closed
    changed = Signal(object)  # Profile, once nothing uses the last one any more
    failed = Signal(object)  # UsageViewerError: the data can't be opened

    def __init__(
        self, profile: Profile, workspace: Workspace, settings: SettingsController, tasks: Tasks, parent: QObject
    ) -> None:
        super().__init__(parent)
        self.own_profile = profile
        self._workspace, self._settings, self._tasks = workspace, settings, tasks
        workspace.session_failed.connect(self.failed)

    @property
    def profile(self) -> Profile:
        """Returns the profile that is open, or else the user's own one."""
        return self._workspace.profile or self.own_profile

    @property
    def own_label(self) -> str:
        """Returns the name of the user's own organization; "" if the user has never named it."""
        listed = self._settings.current.organizations
        profile = self.own_profile
        label = next((one.label for one in listed if one.id == profile.name), profile.label)
        return "" if len(listed) < 2 and label == FIRST_LABEL else label

    @property
    def ids(self) -> tuple[str, ...]:
        """Returns the ids of the organizations that are open; none for the demo or a snapshot."""
        profile = self.profile
        return profile.member_ids or ((profile.name,) if profile is self.own_profile else ())

    def open(self, profile: Profile) -> None:
        """Open a profile with the view that it had last, or with the view of a snapshot."""
        self.opening.emit(profile)
        view = self._settings.use_profile(profile.name, profile.member_ids)
        if isinstance(profile, SnapshotProfile):
            self._settings.forget_views()  # they are those of another snapshot
            view = profile.manifest.shown
        self._workspace.open(profile, view)
        self.changed.emit(profile)

    def open_own(self) -> None:
        """Open the organization that the user chose last."""
        self.open(self.own_profile)

    def choose_own(self, profile: Profile) -> None:
        """Open an organization as the user's own one."""
        self.own_profile = profile
        self.open(profile)

    def combine(self, profiles: list[Profile]) -> None:
        """Open several organizations as one."""
        self.open(CombinedProfile(profiles, clock=profiles[0].now))

    def reopen(self) -> None:
        """Open the same profile again."""
        self.open(self.profile)

    def start_over(self) -> None:
        """Keep the damaged database as a copy and open an empty one."""
        profile = self.own_profile
        self._workspace.close()  # nothing may write to the damaged file, or take it for the new one
        self._tasks.start("open", lambda task: profile.start_over(), lambda _: self.open(profile), self.failed.emit)

    def facts(self, key_place: str) -> list[tuple[str, str]]:
        """Return names and values that say where the open data and the key are kept."""
        profile = self.profile
        if isinstance(profile, SnapshotProfile):
            return [("Snapshot", str(profile.path)), ("Written by", profile.manifest.program)]
        data = str(profile.database) if profile.database is not None else "In memory, gone when the window closes"
        return [("Server", profile.base_url), ("Data", data), ("Key", key_place)]
