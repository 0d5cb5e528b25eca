"""Builds the pages and controllers of a window and connects them; decides nothing itself."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from usage_viewer.gui.clipboard.copy_controller import CopyController
from usage_viewer.gui.sources.demo_controller import DemoController
from usage_viewer.gui.sources.erase_controller import EraseController
from usage_viewer.gui.sources.key_controller import KeyController, not_stored_text
from usage_viewer.gui.sources.key_page import KeyPage
from usage_viewer.gui.sources.organization_controller import OrganizationController
from usage_viewer.gui.sources.snapshot_controller import SnapshotController
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.verification.verifier import BackgroundVerifier
from usage_viewer.gui.widgets.announcer import Announcer
from usage_viewer.gui.window.actions import Actions, connect
from usage_viewer.gui.window.announcements import Announcements
from usage_viewer.gui.window.appearance_controller import AppearanceController
from usage_viewer.gui.window.bill_controller import BillController
from usage_viewer.gui.window.chart_host import ChartHost
from usage_viewer.gui.window.commands import Commands
from usage_viewer.gui.window.dataset_controller import DatasetController
from usage_viewer.gui.window.error_controller import ErrorController
from usage_viewer.gui.window.help_dialogs import about_dialog, shortcut_dialog
from usage_viewer.gui.window.incomplete_controller import IncompleteController
from usage_viewer.gui.window.main_page import MainPage
from usage_viewer.gui.window.saved_views_controller import SavedViewsController
from usage_viewer.gui.window.shortcut_groups import shortcut_groups
from usage_viewer.gui.window.source_display import SourceDisplay
from usage_viewer.gui.window.unusual_controller import UnusualController
from usage_viewer.gui.window.verification_controller import VerificationController
from usage_viewer.gui.workspace.app_context import AppContext
from usage_viewer.gui.workspace.memory_release import MemoryRelease
from usage_viewer.gui.workspace.settings_controller import SettingsController
from usage_viewer.gui.workspace.tasks import Tasks
from usage_viewer.gui.workspace.workspace import Workspace


class WindowParts(QObject):
    """Has every part of a loaded window; `window` is the parent of all dialogs."""

    page_requested = Signal(object)  # QWidget to show in the window
    startup_ended = Signal()  # there is something to show in place of the startup page
    settled = Signal(str)  # everything that was asked for is shown; "" or why it can't be
    title_changed = Signal(str)

    def __init__(self, context: AppContext, window: QWidget) -> None:
        super().__init__(window)
        self.context, self._window = context, window
        self.tasks = Tasks(self)
        self.settings = SettingsController(context.settings_path, self)
        view = self.settings.use_profile(context.profile.name)
        self.workspace = Workspace(self.tasks, view, self, seconds=context.seconds)
        self.source = SourceController(context.profile, self.workspace, self.settings, self.tasks, self)
        self.organizations = OrganizationController(context, self.source, self.settings, self.tasks, window)
        self.actions = Actions(window, self.organizations.menu)
        self.key_page = KeyPage(window)
        self.page = MainPage(self.workspace, self.actions, window)
        self.keys = KeyController(self.source, self.workspace, self.tasks, self.key_page, window)
        self.snapshots = SnapshotController(self.source, self.workspace, self.tasks, window)
        self.demo = DemoController(context, self.source, self.tasks, self)
        self.erasing = EraseController(context, self.workspace, self.settings, self.tasks, window)
        self.errors = ErrorController(self.workspace, self.source, self.organizations, self.keys, self.page)
        self.incomplete = IncompleteController(self.workspace, self.keys, self.page)
        self.display = SourceDisplay(self.source, self.organizations, self.settings, self.actions, self.page)
        self.datasets = DatasetController(self.workspace, self.settings, self.page)
        self.verifier = BackgroundVerifier(self.workspace, self.tasks, self)
        self.verification = VerificationController(self.verifier, self.workspace, self.page, self.actions)
        self.unusual = UnusualController(self.workspace, self.tasks, self.page, self.actions)
        self.bill = BillController(self.workspace, self.tasks, self.page, self.actions)
        self.saved_views = SavedViewsController(
            context.saved_views_path, self.workspace, self.page, self.actions, window
        )
        self.copying = CopyController(self.tasks, self)
        self.commands = Commands(self.workspace, self.page, self.actions, self.copying)
        self.announcer = Announcer(window)
        self.announcements = Announcements(
            self.workspace, self.page, self.actions, self.verifier, self.announcer, self
        )
        self.chart = ChartHost(self.workspace, self.tasks, self.page, self.actions, self.settings, self.announcer)
        self.appearance = AppearanceController(self.settings, self.actions, self.page.table)
        self.memory = MemoryRelease(self.tasks, self)
        self._connect_workspace()
        self._connect_source()
        self._connect_keys()
        self._connect_snapshots()
        self._connect_actions()
        self.page.focus_table()  # from the start, the arrow keys move in the table
        if self.settings.current.note:
            self.page.status.show_message(self.settings.current.note)

    def close(self) -> None:
        """Cancel all work, wait for a bounded time and close the data and the demo."""
        self.tasks.close()
        self.workspace.close()
        self.demo.close()

    def _connect_workspace(self) -> None:
        workspace, page, errors = self.workspace, self.page, self.errors
        workspace.shown.connect(self.startup_ended)
        workspace.failed.connect(self.startup_ended)
        workspace.view_changed.connect(self.settings.save_view)
        self.settings.write_failed.connect(errors.show)
        self.verifier.failed.connect(errors.show)
        self.unusual.failed.connect(errors.show)
        self.bill.failed.connect(errors.show)
        self.commands.failed.connect(errors.show)
        page.table.header.widths_changed.connect(lambda: self.settings.save_widths(page.table.header.widths()))
        self.chart.failed.connect(errors.show)
        self.chart.loaded.connect(self._emit_if_settled)
        self.tasks.idle.connect(self._emit_if_settled)
        workspace.fetch.ended.connect(lambda _: self.memory.request())
        self.copying.done.connect(lambda _: self.memory.request())

    def _emit_if_settled(self) -> None:
        if not (self.chart.pending or self.keys.waiting or self.tasks.busy_count):
            self.settled.emit(self.errors.problem)

    def _connect_source(self) -> None:
        self.source.opening.connect(self._on_opening)
        self.source.failed.connect(self.startup_ended)
        self.display.title_changed.connect(self.title_changed)
        self.organizations.reported.connect(self.page.status.show_message)
        self.organizations.failed.connect(self.errors.show_alone)
        self.demo.starting.connect(self._on_demo_starting)
        self.demo.open_changed.connect(self.actions.show_demo_open)
        self.demo.failed.connect(self.errors.show)
        self.erasing.failed.connect(self.errors.show_erase_error)

    def _connect_keys(self) -> None:
        keys, page = self.keys, self.page
        keys.page_requested.connect(lambda: self.page_requested.emit(self.key_page))
        keys.page_done.connect(lambda: self.page_requested.emit(page))
        keys.put_off.connect(lambda: page.show_no_key(keys.ask))
        # A notice stays; a banner would be hidden by the fetch that begins now.
        keys.not_stored.connect(lambda error: page.notes.set_notice("key", not_stored_text(error)))
        keys.reported.connect(page.status.show_message)
        self.key_page.demo_requested.connect(self.demo.toggle)

    def _connect_snapshots(self) -> None:
        self.snapshots.opening.connect(lambda: self.page.show_loading("Opening…"))
        self.snapshots.reported.connect(self.page.status.show_message)
        self.snapshots.failed.connect(self.errors.show_snapshot_error)

    def _connect_actions(self) -> None:
        actions, window, page = self.actions, self._window, self.page
        connect(actions.save_snapshot, self.snapshots.ask_where_to_save)
        connect(actions.open_snapshot, self.snapshots.ask_what_to_open)
        connect(actions.close_snapshot, self.source.open_own)
        connect(actions.demo, self.demo.toggle)
        connect(actions.replace_key, self.keys.ask)
        connect(actions.forget_key, self.keys.confirm_removal)
        connect(actions.erase, self.erasing.confirm_downloaded_data)
        connect(actions.erase_all, self.erasing.confirm_everything)
        actions.erase_all.setVisible(self.erasing.can_erase_all)
        connect(actions.shortcuts, lambda: shortcut_dialog(shortcut_groups(page.menu), window).open())
        connect(actions.about, lambda: about_dialog(self.source.facts(self.keys.place), window).open())
        connect(actions.quit, window.close)

    def _on_opening(self) -> None:
        if self.workspace.profile is not None:  # the startup page stays until the first data is open
            self.page_requested.emit(self.page)

    def _on_demo_starting(self) -> None:
        self.page.show_loading("Starting the demo…")
        self.page_requested.emit(self.page)
