"""Loads, checks, stores and removes the admin key, and asks the user for it."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import InputError, KeyMissing, KeyringError, UsageViewerError
from usage_viewer.gui.sources.key_page import KeyPage
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace

CHANNEL = "key"
NO_KEY_HINT = "You see the data already on this computer; add a key to load more."


@dataclass(frozen=True)
class KeyringAnswer:
    """The stored key or None, a sentence that says where keys are kept, and the error if there was one."""

    key: AdminKey | None
    place: str
    error: KeyringError | InputError | None = None


class KeyController(QObject):
    """Connects the session with its key; keyring calls run in a worker, since they may show a prompt or hang."""

    page_requested = Signal()  # the key page is to be shown
    page_done = Signal()  # the main page is to be shown again
    key_missing = Signal()  # there is neither a key nor data, so the page was requested
    put_off = Signal()  # the user left the page, and there is still neither a key nor data
    accepted = Signal()
    refused = Signal(object)  # UsageViewerError about a key, shown on the page
    not_stored = Signal(object)  # KeyringError; the key is in use until the window closes
    failed = Signal(object)  # UsageViewerError for the banner

    def __init__(
        self, source: SourceController, workspace: Workspace, tasks: Tasks, page: KeyPage, window: QWidget
    ) -> None:
        super().__init__(window)
        self._source, self._workspace, self._tasks = source, workspace, tasks
        self._page, self._window = page, window
        self._answer: KeyringAnswer | None = None
        source.opening.connect(self._on_opening)
        source.changed.connect(self._on_source_changed)
        workspace.session_opened.connect(self._connect_or_ask)
        page.key_entered.connect(self._check_and_store)
        page.cancelled.connect(self._on_page_cancelled)
        self.refused.connect(page.show_error)

    @property
    def answered(self) -> bool:
        """Returns whether the keyring has answered for the open profile."""
        return self._answer is not None

    @property
    def place(self) -> str:
        """Returns a sentence that says where the key is kept."""
        return self._answer.place if self._answer is not None else "The keyring has not answered yet"

    # Asking the user

    def ask(self, *, replacing: bool) -> None:
        """Show the key page; it names the organization if there are several."""
        self._page.clear()
        self._page.set_replacing(replacing, self._source.own_label)
        self.page_requested.emit()

    def confirm_removal(self) -> None:
        """Asks whether to remove the key, then removes it."""
        FormDialog(
            self._window,
            "Remove admin key",
            "Remove the admin key of this organization from this computer? Downloaded data stays.",
            "&Remove admin key",
            self._remove,
            to_type="remove",
        ).open()

    def _on_page_cancelled(self) -> None:
        self.page_done.emit()
        session = self._workspace.session
        if session is not None and session.empty and not session.connected:
            self.put_off.emit()

    # The keyring

    def _on_opening(self, profile: Profile) -> None:
        self._answer = None

    def _on_source_changed(self, profile: Profile) -> None:
        self._tasks.cancel(CHANNEL)
        if profile.capabilities.needs_key:
            self._tasks.start(CHANNEL, lambda task: _load(profile), self._on_loaded, self.refused.emit)

    def _on_loaded(self, answer: KeyringAnswer) -> None:
        self._answer = answer
        self._page.set_place(answer.place)
        self._connect_or_ask()

    def _connect_or_ask(self) -> None:
        """Fetch, show only the stored data, or ask for the key, once database and keyring have answered."""
        session, answer, profile = self._workspace.session, self._answer, self._workspace.profile
        if session is None or profile is None:
            return
        if not profile.capabilities.needs_key:
            if session.connected:
                self._workspace.load_names()
            elif profile.capabilities.can_fetch:
                hint = "None of these organizations has a key. Open each one alone and enter its key."
                self.failed.emit(KeyMissing(hint=hint))
            return
        if answer is None:
            return
        if answer.key is not None:
            self._workspace.connect_key(answer.key)
        elif session.empty:
            self.ask(replacing=False)
            if answer.error is not None:
                self._page.show_error(answer.error)
            self.key_missing.emit()
        else:
            self.failed.emit(answer.error or KeyMissing(hint=NO_KEY_HINT))

    def _check_and_store(self, key: AdminKey) -> None:
        """Check the key with one small request, then stores it."""
        profile = self._source.own_profile
        self._page.show_checking()
        self._tasks.start(
            CHANNEL, lambda task: _check_and_store(profile, key), self._on_accepted, self.refused.emit
        )

    def _on_accepted(self, answer: KeyringAnswer) -> None:
        self._page.clear()
        self._answer = answer
        self.page_done.emit()
        self.accepted.emit()
        if answer.error is not None:
            self.not_stored.emit(answer.error)
        if answer.key is not None:
            self._workspace.connect_key(answer.key)

    def _remove(self) -> None:
        profile = self._source.own_profile
        self._tasks.start(CHANNEL, lambda task: profile.keystore.forget(), self._on_removed, self.failed.emit)

    def _on_removed(self, _: None) -> None:
        self._workspace.disconnect_key()
        self.ask(replacing=True)


def _load(profile: Profile) -> KeyringAnswer:
    store = profile.keystore
    try:
        return KeyringAnswer(store.load(), store.description)
    except (KeyringError, InputError) as error:
        return KeyringAnswer(None, store.description, error)


def _check_and_store(profile: Profile, key: AdminKey) -> KeyringAnswer:
    """Check and store a key; a keyring that fails leaves it in use for this session."""
    profile.check_key(key)
    store = profile.keystore
    try:
        store.save(key)
    except KeyringError as error:
        return KeyringAnswer(key, store.description, error)
    return KeyringAnswer(key, store.description)


def not_stored_text(error: UsageViewerError) -> str:
    """Return why the key is not stored and how long it is in use."""
    return f"{error.title}. {error.hint} The key is not stored; it is in use until the window is closed."
