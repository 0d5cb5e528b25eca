"""Shows errors in the banner, with the actions that can help."""

from PySide6.QtCore import QObject

from usage_viewer.domain.errors import (
    Cancelled,
    CredentialError,
    KeyForAnotherServer,
    StoreDamaged,
    UsageViewerError,
)
from usage_viewer.domain.network_errors import WrongServer
from usage_viewer.domain.origin import origin_of
from usage_viewer.gui.sources.key_controller import KeyController
from usage_viewer.gui.sources.organization_controller import OrganizationController
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.widgets.strip import Action
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.workspace.workspace import Workspace

OPEN_OWN = "Open &your organization"


class ErrorController(QObject):
    """Keeps the visible error in `problem` as one text; "" if nothing failed."""

    def __init__(
        self,
        workspace: Workspace,
        source: SourceController,
        organizations: OrganizationController,
        keys: KeyController,
        page: MainPage,
    ) -> None:
        super().__init__(page)
        self._workspace, self._source, self._keys, self._page = workspace, source, keys, page
        self._organizations = organizations
        self._agreed = ""  # the origin of the server that the user has chosen
        self.problem = ""
        source.opening.connect(self._on_opening)
        source.failed.connect(self.show_open_error)
        workspace.fetch.started.connect(self.clear)
        workspace.failed.connect(self.show)
        keys.failed.connect(self.show)
        keys.server_differs.connect(self.show_other_server)
        keys.server_chosen.connect(self._move)
        keys.accepted.connect(self.clear)
        keys.refused.connect(self._note)
        self._names_error: UsageViewerError | None = None
        workspace.name_loader.failed.connect(self._on_names_failed)
        workspace.name_loader.loaded.connect(self._on_names_loaded)
        workspace.name_loader.waiting.connect(lambda text: page.notes.set_notice("names", text))
        keys.key_missing.connect(lambda: self._set_problem(f"There is no admin key. {keys.reason}".strip()))

    def show(self, error: UsageViewerError) -> None:
        """Show an error of the fetch, the key or the settings, with *Retry*."""
        if isinstance(error, StoreDamaged):
            self.show_open_error(error)
            return
        actions: list[Action] = [("Re&try", self._retry)]
        own = self._source.profile is self._source.own_profile  # the demo's key is not the user's
        if isinstance(error, WrongServer) and error.server and own:
            host = origin_of(error.server).partition("://")[2]
            actions.insert(0, (f"&Use {host}", lambda: self._move(error.server)))
        if isinstance(error, CredentialError) and self._keys.answered and own:
            actions.insert(0, ("Enter another &key", self._keys.ask))
        self._show(error, actions)

    def _move(self, server: str) -> None:
        """Use another server of the vendor, with the same key."""
        self._agreed = origin_of(server)
        self._organizations.use_server(server)

    def show_other_server(self, error: KeyForAnotherServer) -> None:
        """Ask whether the key may be used for another server; a key of the environment never is.

        Who has just chosen that server has agreed.
        """
        if error.reusable and error.server == self._agreed:
            self._keys.reuse()
            return
        host = error.server.partition("://")[2]
        if error.reusable:
            error.hint += " Agree only if you trust this server. For another key, use Change admin key in the menu."
            self._show(error, [(f"&Use this key for {host}", self._keys.reuse)])
        else:
            self._show(error, [(f"Enter a &key for {host}", self._keys.ask)])

    def show_open_error(self, error: UsageViewerError) -> None:
        """Show why the data can't be opened; a damaged database can be replaced by an empty one."""
        profile = self._source.profile
        actions: list[Action] = [("Re&try", self._source.reopen)]
        if isinstance(error, StoreDamaged) and profile is self._source.own_profile:
            actions.append(("Start with an &empty database", self._source.start_over))
        if not profile.capabilities.can_fetch:
            actions.append((OPEN_OWN, self._source.open_own))
        self._page.show_nothing()
        self._show(error, actions)

    def show_snapshot_error(self, error: UsageViewerError) -> None:
        """Show why a snapshot can't be saved or opened; the open data stays visible."""
        if self._workspace.profile is None:
            self._page.show_nothing()
            self._show(error, [(OPEN_OWN, self._source.open_own)])
        elif not isinstance(error, Cancelled):
            self.show_alone(error)

    def show_erase_error(self, error: UsageViewerError) -> None:
        """Show why something could not be deleted; the database was closed for it."""
        self._show(error, [("Open &again", self._source.open_own)])

    def show_alone(self, error: UsageViewerError) -> None:
        """Show an error that leaves the visible data valid, without any action."""
        self._page.banner.show_error(error, [])

    def clear(self) -> None:
        """Hides the banner once the failed step begins again."""
        self.problem = ""
        self._page.banner.clear()

    def _on_opening(self) -> None:
        self._names_error = None
        self.clear()

    def _retry(self) -> None:
        self._page.banner.clear()
        if self._names_error is not None:
            self._workspace.load_names()
        self._workspace.retry()

    def _show(self, error: UsageViewerError, actions: list[Action]) -> None:
        self._note(error)
        self._page.banner.show_error(error, actions)
        self._show_names_error()

    def _on_names_failed(self, error: UsageViewerError) -> None:
        self._names_error = error
        self._show_names_error()

    def _on_names_loaded(self) -> None:
        self._names_error = None
        self._show_names_error()

    def _show_names_error(self) -> None:
        """Show that names are missing, unless the banner already tells the same failure."""
        error, visible_error = self._names_error, self._page.banner.error
        is_told = error is None or (visible_error is not None and visible_error.title == error.title)
        text = "" if error is None or is_told else _names_text(error)
        self._page.notes.set_notice("names", text)

    def _note(self, error: UsageViewerError) -> None:
        self._set_problem(f"{error.title}. {error.hint}")

    def _set_problem(self, problem: str) -> None:
        self.problem = problem


def _names_text(error: UsageViewerError) -> str:
    return f"Some names could not be loaded: {error.title.lower()}. {error.hint}"
