"""The key's way through the window: from the keyring, from the page that asks for it, out of the keyring again."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, KeyringError
from usage_viewer.gui.workspace.tasks import Tasks

CHANNEL = "key"


@dataclass(frozen=True)
class Loaded:
    """What the keyring gave: a key or none, where keys are kept, and what was wrong, if something was."""

    key: AdminKey | None
    place: str
    error: KeyringError | InputError | None = None


class KeyController(QObject):
    """Every step runs in a worker: a keyring may show a prompt, or hang."""

    loaded = Signal(object)  # Loaded
    accepted = Signal(object)  # Loaded: the key was checked and is in use; `error`: it could not be kept
    refused = Signal(object)  # UsageViewerError
    forgotten = Signal()
    forget_failed = Signal(object)  # UsageViewerError

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks

    def load(self, profile: Profile) -> None:
        def work(_task: object) -> Loaded:
            store = profile.keystore
            try:
                return Loaded(store.load(), store.description)
            except (KeyringError, InputError) as error:
                return Loaded(None, store.description, error)

        self._tasks.start(CHANNEL, work, self.loaded.emit, self.refused.emit)

    def check_and_keep(self, profile: Profile, key: AdminKey) -> None:
        """One cheap call; then the key is kept. A keyring that fails leaves it in use for this session."""

        def work(_task: object) -> Loaded:
            profile.check_key(key)
            store = profile.keystore
            try:
                store.save(key)
            except KeyringError as error:
                return Loaded(key, store.description, error)
            return Loaded(key, store.description)

        self._tasks.start(CHANNEL, work, self.accepted.emit, self.refused.emit)

    def forget(self, profile: Profile) -> None:
        def work(_task: object) -> None:
            profile.keystore.forget()

        self._tasks.start(CHANNEL, work, lambda _: self.forgotten.emit(), self.forget_failed.emit)
