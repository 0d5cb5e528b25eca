"""Loads, checks, stores and removes the admin key, and asks the user for it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import (
    CredentialError,
    InputError,
    KeyForAnotherServer,
    KeyMissing,
    KeyringError,
    UsageViewerError,
)
from usage_viewer.domain.origin import origin_of
from usage_viewer.gui.sources.key_page import KeyPage
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.keystore import Keystore

CHANNEL = "key"
NO_KEY_HINT = "You see the data already on this computer; add a key to load more."


@dataclass(frozen=True)
class KeyringAnswer:
    """Holds the stored key or None, and the error if there was one.

    `place` is a sentence that says where keys are kept, `store` the name of that store, `persistent` whether it
    keeps a key after the program ends.
    """

    key: AdminKey | None
    place: str
    store: str = "this computer"
    persistent: bool = True
    error: UsageViewerError | None = None


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
    server_differs = Signal(object)  # KeyForAnotherServer: the key is not used unless the user agrees
    server_chosen = Signal(str)  # base URL of the server that the typed key is for, in place of the present one
    reported = Signal(str)  # a sentence for the status bar

    def __init__(
        self, source: SourceController, workspace: Workspace, tasks: Tasks, page: KeyPage, window: QWidget
    ) -> None:
        super().__init__(window)
        self._source, self._workspace, self._tasks = source, workspace, tasks
        self._page, self._window = page, window
        self._answer: KeyringAnswer | None = None
        self._typed: AdminKey | None = None  # to check once its server is set
        self._to_load: Profile | None = None  # whose keyring is asked once the stored data is shown
        source.opening.connect(self._on_opening)
        source.changed.connect(self._on_source_changed)
        workspace.session_opened.connect(self._connect_or_ask)
        for data_answered in (workspace.shown, workspace.failed, workspace.session_failed):
            data_answered.connect(self._on_data_answered)
        page.key_entered.connect(self._check_and_store)
        page.server_chosen.connect(self._on_server_chosen)
        page.cancelled.connect(self._on_page_cancelled)
        self.refused.connect(page.show_error)

    @property
    def answered(self) -> bool:
        """Returns whether the keyring has answered for the open profile."""
        return self._answer is not None

    @property
    def waiting(self) -> bool:
        """Returns whether the keyring is still to be asked, after the stored data is shown."""
        return self._to_load is not None

    @property
    def place(self) -> str:
        """Returns a sentence that says where the key is kept."""
        return self._answer.place if self._answer is not None else "The keyring has not answered yet"

    @property
    def reason(self) -> str:
        """Returns why no key can be stored, as a sentence that a text may begin with; "" if keys are stored."""
        return "" if self._answer is None or self._answer.persistent else f"{self._answer.place} "

    # Asking the user

    def ask(self) -> None:
        """Show the key page at the user's request."""
        self._show_page(can_go_back=True)

    def _show_page(self, *, can_go_back: bool) -> None:
        self._page.clear()
        self._request_page(can_go_back=can_go_back)

    def _request_page(self, *, can_go_back: bool) -> None:
        key = self._answer.key if self._answer is not None else None
        self._page.set_request(
            self._source.own_label,
            origin_of(self._source.own_profile.base_url),
            key.masked if key is not None else "",
            can_go_back=can_go_back,
        )
        self.page_requested.emit()

    def confirm_removal(self) -> None:
        """Asks whether to remove the key, then removes it."""
        answer = self._answer
        if answer is not None and answer.key is None and not answer.persistent:
            self.reported.emit("There is no admin key to remove")
            return
        text, title = removal_text(answer, self._source.own_label), "Remove admin key"
        FormDialog(self._window, title, text, f"&{title}", self._remove, to_type="remove").open()

    def _on_page_cancelled(self) -> None:
        if self._page.checking:
            self._tasks.cancel(CHANNEL)
        self._page.clear()
        self.page_done.emit()
        session = self._workspace.session
        if session is not None and session.empty and not session.connected:
            self.put_off.emit()

    # The keyring

    def _on_opening(self, profile: Profile) -> None:
        self._answer = self._to_load = None

    def _on_source_changed(self, profile: Profile) -> None:
        self._tasks.cancel(CHANNEL)
        self._to_load = profile if profile.capabilities.needs_key else None

    def _on_data_answered(self) -> None:
        """Ask the keyring once the stored rows are read: importing its modules before delays the first table."""
        if self._to_load is not None:
            QTimer.singleShot(0, self, self._load_key)

    def _load_key(self) -> None:
        profile, self._to_load = self._to_load, None
        if profile is not None:
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
        if answer is not None:
            self._use_answer(answer, is_empty=session.empty)

    def _use_answer(self, answer: KeyringAnswer, *, is_empty: bool) -> None:
        """Use the stored key, check the typed one, or ask for one if there is no data either (`is_empty`)."""
        typed, self._typed = self._typed, None
        if typed is not None:
            self._request_page(can_go_back=True)
            self._check_and_store(typed)
        elif answer.key is not None:
            self._workspace.connect_key(answer.key)
        elif isinstance(answer.error, KeyForAnotherServer):
            self.server_differs.emit(answer.error)
        elif is_empty:
            self._show_page(can_go_back=bool(self._source.own_label))
            if answer.error is not None:
                self._page.show_error(answer.error)
            self.key_missing.emit()
        else:
            self.failed.emit(answer.error or KeyMissing(hint=f"{self.reason}{NO_KEY_HINT}"))

    def _on_server_chosen(self, server: str, key: AdminKey) -> None:
        """Set another server for the organization; the typed key is checked there."""
        self._typed = key
        self.server_chosen.emit(server)

    def _check_and_store(self, key: AdminKey) -> None:
        """Check the key with one small request, then stores it."""
        profile = self._source.own_profile
        self._page.show_checking()
        self._tasks.start(
            CHANNEL, lambda task: _check_and_store(task, profile, key), self._on_accepted, self.refused.emit
        )

    def reuse(self) -> None:
        """Use the key of another server for this one too, as the user has agreed."""
        profile = self._source.own_profile
        self._tasks.start(CHANNEL, lambda task: _reuse(profile), self._on_reused, self.failed.emit)

    def _on_reused(self, answer: KeyringAnswer) -> None:
        self.accepted.emit()
        self._on_loaded(answer)

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
        self._tasks.start(CHANNEL, lambda task: _forget(profile), self._on_removed, self.failed.emit)

    def _on_removed(self, answer: KeyringAnswer) -> None:
        self._answer = answer
        self._workspace.disconnect_key()
        self._page.set_place(answer.place)
        self.ask()
        self._page.show_note(removed_text(answer))


def _answer_of(store: "Keystore", key: AdminKey | None, error: UsageViewerError | None = None) -> KeyringAnswer:
    return KeyringAnswer(key, store.description, store.place, store.persistent, error)


def _load(profile: Profile) -> KeyringAnswer:
    store = profile.keystore
    try:
        return _answer_of(store, store.load())
    except (KeyringError, CredentialError, InputError) as error:
        return _answer_of(store, None, error)


def _check_and_store(task: Task, profile: Profile, key: AdminKey) -> KeyringAnswer:
    """Check and store a key; a keyring that fails leaves it in use for this session."""
    profile.check_key(key)
    task.cancellation.check()  # the user may have left the page
    store = profile.keystore
    try:
        store.save(key)
    except KeyringError as error:
        return KeyringAnswer(key, store.description, "memory", persistent=False, error=error)
    return _answer_of(store, key)


def _reuse(profile: Profile) -> KeyringAnswer:
    store = profile.keystore
    return _answer_of(store, store.reuse())


def _forget(profile: Profile) -> KeyringAnswer:
    store = profile.keystore
    store.forget()
    return _answer_of(store, None)


def removal_text(answer: KeyringAnswer | None, organization: str) -> str:
    """Return the question that names the key, the organization and the store that the key is removed from."""
    whose = visible(organization) or "this organization"
    if answer is None:
        return f"Remove the admin keys of {whose} from this computer? Downloaded data stays."
    if answer.key is None:
        return f"Remove the admin keys of {whose} from {answer.store}? Downloaded data stays."
    key = f"the admin key {answer.key.masked} of {whose}"
    if answer.persistent:
        return (
            f"Remove {key} from {answer.store}? Its keys for other servers are removed too. Downloaded data stays."
        )
    return f"Stop using {key}? It is in {answer.store}, not in a keyring. Downloaded data stays."


def removed_text(answer: KeyringAnswer) -> str:
    """Return what was removed from where."""
    if answer.persistent:
        return f"The admin key was removed from {answer.store}."
    return "The admin key is no longer in use."


def not_stored_text(error: UsageViewerError) -> str:
    """Return why the key is not stored and how long it is in use."""
    return f"{error.title}. {error.hint} The key is not stored; it is in use until the window is closed."
