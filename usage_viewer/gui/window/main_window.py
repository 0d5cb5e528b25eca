"""The window: composes the pages, the commands and the workspace, connects them, and says what went wrong.

Importing it loads Qt and little else, so that a first look can be painted before the rest is loaded.
"""

import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.settings.startup_table import keep_last_look
from usage_viewer.domain.errors import CredentialError, StoreDamaged, UsageViewerError
from usage_viewer.gui.widgets.spacing import UNIT
from usage_viewer.gui.window.startup_page import StartupPage

if TYPE_CHECKING:
    from usage_viewer.app.profile.profile import Demo, Profile
    from usage_viewer.domain.view import ViewState
    from usage_viewer.gui.sources.erase_controller import Erase
    from usage_viewer.gui.sources.organization_controller import MakeProfile
    from usage_viewer.gui.window.error_banner import Action
    from usage_viewer.gui.workspace.workspace import SortedResult

SIZE = (150 * UNIT, 92 * UNIT)


class MainWindow(QMainWindow):
    """`open_demo` starts the demo's server; `make_profile` makes that of another organization. With `remember`
    False nothing is written about how it is used. `erase_all` is offered in the menu, if there is one.
    """

    settled = Signal(str)  # everything that was asked for is shown; "" or why it isn't

    composed = False

    def __init__(
        self,
        profile: "Profile",
        place: ProfilePaths,
        open_demo: "Callable[[], Demo]",
        make_profile: "MakeProfile",
        *,
        remember: bool = True,
        erase_all: "Erase | None" = None,
    ) -> None:
        super().__init__()
        self._first_look: StartupPage | None = None
        self.compose(profile, place, open_demo, make_profile, remember=remember, erase_all=erase_all)

    @classmethod
    def with_first_look(cls, look: dict[str, Any]) -> "MainWindow":
        """With the table alone, as it was; `compose` has to follow."""
        window = cls.__new__(cls)
        QMainWindow.__init__(window)
        if look["scheme"] != "system":
            from usage_viewer.gui.widgets.theme import use_scheme

            use_scheme(look["scheme"])
        window.setCentralWidget(first_look := StartupPage(look))
        window._first_look = first_look
        window._lay_out(look["title"], look["geometry"])
        return window

    @property
    def first_look_painted(self) -> bool:
        return self._first_look is None or self._first_look.painted

    def compose(
        self,
        profile: "Profile",
        place: ProfilePaths,
        open_demo: "Callable[[], Demo]",
        make_profile: "MakeProfile",
        *,
        remember: bool = True,
        erase_all: "Erase | None" = None,
    ) -> None:
        """Loads and makes all that the window is made of."""
        from usage_viewer.gui.clipboard.copy_controller import CopyController
        from usage_viewer.gui.sources.key_controller import KeyController
        from usage_viewer.gui.sources.key_page import KeyPage
        from usage_viewer.gui.sources.organization_controller import OrganizationController
        from usage_viewer.gui.sources.snapshot_controller import SnapshotController
        from usage_viewer.gui.verification.verifier import BackgroundVerifier
        from usage_viewer.gui.window.actions import Actions
        from usage_viewer.gui.window.commands import Commands
        from usage_viewer.gui.window.main_page import MainPage
        from usage_viewer.gui.window.source_controller import SourceController
        from usage_viewer.gui.window.verification_controller import VerificationController
        from usage_viewer.gui.workspace.settings_controller import SettingsController
        from usage_viewer.gui.workspace.tasks import Tasks
        from usage_viewer.gui.workspace.workspace import Workspace

        self._problem, self._place = "", place if remember else None
        self._last_look: dict[str, Any] | None = None
        self.tasks = Tasks(self)
        self.remembered = SettingsController(place.settings if remember else None, self._on_error, self)
        self.workspace = Workspace(self.tasks, self.remembered.use_profile(profile.name), self)
        self.keys = KeyController(self.tasks, self)
        self.copying = CopyController(self.tasks, self)
        self.snapshots = SnapshotController(self.tasks, self)
        self.actions_ = Actions(self)
        self.organizations = OrganizationController(
            self.remembered, self.tasks, place, make_profile, self.actions_.organizations, self
        )
        self.key_page = KeyPage(self)
        self.page = MainPage(self.workspace, self.actions_, self)
        self.proofs = BackgroundVerifier(self.workspace, self.tasks, self)
        self.proof_views = VerificationController(self.proofs, self.workspace, self.page, self.actions_)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.page)
        self._pages.addWidget(self.key_page)
        if self._first_look is not None:
            self._pages.addWidget(self._first_look)  # out of the window's middle
            self._pages.setCurrentWidget(self._first_look)
        self.setCentralWidget(self._pages)
        self._pages.show()  # now, not in the next turn: nothing is to flicker
        self.opening = SourceController(
            profile,
            open_demo,
            tasks=self.tasks,
            workspace=self.workspace,
            remembered=self.remembered,
            keys=self.keys,
            snapshots=self.snapshots,
            organizations=self.organizations,
            actions=self.actions_,
            page=self.page,
            key_page=self.key_page,
            pages=self._pages,
            window=self,
            first_look=self._first_look,
        )
        self.commands = Commands(
            self.workspace, self.page, self.actions_, self.copying, self.remembered, self.opening.facts, self
        )
        self._connect()
        if erase_all is not None:
            self._offer_to_erase(erase_all)
        self._restore()
        self.composed = True

    def _connect(self) -> None:
        workspace, proofs, page = self.workspace, self.proofs, self.page
        workspace.shown.connect(self.opening.end_first_look)
        workspace.shown.connect(self._on_shown)
        workspace.fetching_changed.connect(lambda fetching: self._emit_if_settled())
        workspace.recovered.connect(self._on_recovered)
        workspace.failed.connect(self.opening.end_first_look)
        workspace.failed.connect(self._on_error)
        workspace.names_failed.connect(self._on_names_failed)
        workspace.view_changed.connect(self.remembered.view)
        proofs.state_changed.connect(lambda standing: self._emit_if_settled())
        proofs.broken_identities_changed.connect(lambda breaches: self._emit_if_settled())
        proofs.failed.connect(self._on_error)
        page.dataset.view_requested.connect(self._on_dataset)
        page.table.header.widths_changed.connect(lambda: self.remembered.widths(page.table.header.widths()))
        self.commands.failed.connect(self._on_error)
        self.opening.failed.connect(self._on_error)
        self.opening.stuck.connect(self._on_stuck)
        self.opening.began.connect(self._on_began)
        self.opening.key_wanted.connect(lambda: self.settled.emit("There is no key yet."))
        self.opening.title_changed.connect(self.setWindowTitle)

    def _offer_to_erase(self, erase_all: "Erase") -> None:
        from usage_viewer.gui.sources.erase_controller import EraseController
        from usage_viewer.gui.window.actions import connect

        self.erasing = EraseController(erase_all, self.workspace, self.remembered, self.tasks, self)
        self.erasing.failed.connect(lambda error: self._on_stuck(error, [("Open &again", self.opening.open_own)]))
        self.actions_.erase_all.setVisible(True)
        connect(self.actions_.erase_all, self.erasing.ask)

    # Starting and ending

    def start(self, *, demo: bool = False, snapshot: Path | None = None) -> None:
        """Begins to load, after the first paint: the demo, a saved snapshot, or the organization."""

        def begin() -> None:
            if snapshot is not None:
                self.opening.open_snapshot(snapshot)
            elif demo:
                self.opening.open_demo()
            else:
                self.opening.open_own()

        QTimer.singleShot(0, self, begin)

    def finish(self) -> None:
        """Cancels everything, waits a bounded time, closes what is open."""
        self.tasks.close()
        self.workspace.close()
        self.opening.close_demo()
        if self._last_look is not None and self._place is not None:
            with suppress(OSError):  # the next start is a slower one
                keep_last_look(ProfilePaths(self._place.data_dir, self.opening.own_profile.name), self._last_look)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.composed:
            self._take_down()
            self.remembered.geometry(self.saveGeometry())
            self.remembered.write()
        super().closeEvent(event)

    def _take_down(self) -> None:
        """What is shown, for the next start, if that would begin with it."""
        from usage_viewer.gui.window.startup_capture import last_look

        begins = self.workspace.profile is self.opening.own_profile and not self.remembered.paused
        self._last_look = last_look(self.workspace, self.page) if begins else None
        if self._last_look is not None:
            settings = self.remembered.settings
            geometry = self.saveGeometry().toBase64().toStdString()
            self._last_look.update(geometry=geometry, scheme=settings.colour_scheme.value)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if not self.composed:
            return
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.workspace.look_if_old()

    def come_to_front(self) -> None:
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def _restore(self) -> None:
        settings = self.remembered.settings
        if self._first_look is None:
            self._lay_out("Usage Viewer", settings.geometry)
        self.commands.restore_looks()
        if settings.note:
            self.page.status.say(settings.note)

    def _lay_out(self, title: str, geometry: str) -> None:
        self.setWindowTitle(title)
        self.setMinimumSize(70 * UNIT, 50 * UNIT)
        self.resize(*SIZE)
        if geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(geometry, validate=False)))

    # What is shown

    def _on_began(self) -> None:
        self._problem = ""

    def _on_shown(self, shown: "SortedResult") -> None:
        if shown.table.rows and self.focusWidget() in (None, self.page.dataset):
            self.page.table.setFocus()  # at first: the arrows walk in it
        self._emit_if_settled()

    def _on_names_failed(self, error: UsageViewerError) -> None:
        self.page.notes.say("names", f"Not all names can be shown: {error.title.lower()}. {error.hint}")
        self._emit_if_settled()

    def _on_dataset(self, view: "ViewState") -> None:
        columns = self.remembered.profile.columns.get(view.dataset_name, ())
        self.workspace.show_view(replace(view, columns=columns))

    def _emit_if_settled(self) -> None:
        """Says so once nothing is under way any more and everything that was asked for is shown."""
        last, workspace = self.workspace.last, self.workspace
        if last is None or workspace.fetching or self.tasks.busy("look") or self.tasks.busy("names"):
            return
        if self.proofs.busy:
            return
        session, profile = workspace.session, workspace.profile
        is_read_only = profile is not None and not profile.capabilities.can_fetch
        if self._problem or (session is not None and (session.connected or is_read_only)):
            self.settled.emit(self._problem)

    # What went wrong

    def _on_error(self, error: UsageViewerError) -> None:
        if isinstance(error, StoreDamaged):
            self.opening.show_open_error(error)
            return
        actions: list[Action] = [("Re&try", self._retry)]
        if isinstance(error, CredentialError) and self.opening.keyring_answered:
            actions.insert(0, ("Enter another &key", lambda: self.opening.ask_for_key(replacing=True)))
        self._show_error(error, actions)

    def _on_stuck(self, error: UsageViewerError, actions: "list[Action]") -> None:
        self.opening.end_first_look()
        self._show_error(error, actions)
        self.settled.emit(self._problem)

    def _retry(self) -> None:
        self.page.banner.clear()
        self.workspace.retry()

    def _on_recovered(self) -> None:
        self._problem = ""
        self.page.banner.clear()

    def _show_error(self, error: UsageViewerError, actions: "list[Action]") -> None:
        self._problem = f"{error.title}. {error.hint}"
        self.page.banner.show_error(error, actions)
        self._emit_if_settled()

    def show_unexpected(self, error: UsageViewerError) -> None:
        """An error that nobody expected: said, while the window goes on."""
        self.page.banner.show_error(error, [])
