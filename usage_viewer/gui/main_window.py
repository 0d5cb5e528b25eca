"""The window: composes the pages, the commands and the workspace, and connects them."""

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QStackedWidget

from usage_viewer.app.combined import CombinedProfile
from usage_viewer.app.export import Format
from usage_viewer.app.place import Place
from usage_viewer.app.profile import Demo, Profile
from usage_viewer.app.snapshot import SnapshotProfile
from usage_viewer.domain.errors import Cancelled, CredentialError, KeyMissing, StoreDamaged, UsageViewerError
from usage_viewer.domain.key import AdminKey
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.visible import visible
from usage_viewer.gui import help_sheets
from usage_viewer.gui.actions import Actions, connect, shortcut_rows
from usage_viewer.gui.banner import Action
from usage_viewer.gui.copying import Chosen, Copying, proposed_name, range_name
from usage_viewer.gui.key_flow import CHANNEL as KEY
from usage_viewer.gui.key_flow import KeyFlow, Loaded
from usage_viewer.gui.key_page import KeyPage
from usage_viewer.gui.main_page import MainPage
from usage_viewer.gui.organizations import MakeProfile, Organizations
from usage_viewer.gui.proof_views import ProofViews
from usage_viewer.gui.proofs import Proofs
from usage_viewer.gui.remembered import Remembered
from usage_viewer.gui.snapshots import Snapshots, origin_text, range_text
from usage_viewer.gui.tasks import Tasks
from usage_viewer.gui.theme import UNIT, use_scheme
from usage_viewer.gui.usage_model import Presentation
from usage_viewer.gui.workspace import Shown, Workspace

SIZE = (150 * UNIT, 92 * UNIT)


class MainWindow(QMainWindow):
    """`open_demo` starts the demo's server; `make_profile` makes that of another organization. With `remember`
    False nothing is written about how it is used.
    """

    settled = Signal(str)  # everything that was asked for is shown; "" or why it isn't

    def __init__(
        self,
        profile: Profile,
        place: Place,
        open_demo: Callable[[], Demo],
        make_profile: MakeProfile,
        *,
        remember: bool = True,
    ) -> None:
        super().__init__()
        self._own_profile, self._place, self._open_demo = profile, place, open_demo
        self._demo: Demo | None = None
        self._loaded: Loaded | None = None
        self._problem = ""
        self.tasks = Tasks(self)
        self.remembered = Remembered(place.settings if remember else None, self._on_error, self)
        self.workspace = Workspace(self.tasks, self.remembered.use_profile(profile.name), self)
        self.keys = KeyFlow(self.tasks, self)
        self.copying = Copying(self.tasks, self)
        self.snapshots = Snapshots(self.tasks, self)
        self.actions_ = Actions(self)
        self.organizations = Organizations(
            self.remembered, self.tasks, place, make_profile, self.actions_.organizations, self
        )
        self.key_page = KeyPage(self)
        self.page = MainPage(self.workspace, self.actions_, self)
        self.proofs = Proofs(self.workspace, self.tasks, self)
        self.proof_views = ProofViews(self.proofs, self.workspace, self.page, self.actions_)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.page)
        self._pages.addWidget(self.key_page)
        self.setCentralWidget(self._pages)
        self.setWindowTitle("Usage Viewer")
        self.setMinimumSize(70 * UNIT, 50 * UNIT)
        self.resize(*SIZE)
        self._connect_workspace()
        self._connect_key()
        self._connect_organizations()
        self._connect_actions()
        self._restore()

    # Starting and ending

    def start(self, *, demo: bool = False, snapshot: Path | None = None) -> None:
        """Begins to load, after the first paint: the demo, a saved snapshot, or the organization."""

        def begin() -> None:
            if snapshot is not None:
                self.page.say_loading("Opening…")
                self.snapshots.open(snapshot)
            elif demo:
                self.open_demo()
            else:
                self._open(self._own_profile)

        QTimer.singleShot(0, self, begin)

    def _open(self, profile: Profile) -> None:
        self._loaded = None
        self._problem = ""
        ids = profile.ids if isinstance(profile, CombinedProfile) else ()
        self.workspace.view = self.remembered.use_profile(profile.name, ids)
        self.organizations.show_current(ids or ((profile.name,) if profile is self._own_profile else ()))
        self._show_origin(profile)
        self.page.show_view(self.workspace.view)
        self.page.table.header.set_widths(dict(self.remembered.profile.widths))
        self.page.banner.clear()
        self.page.notes.clear()
        self._pages.setCurrentWidget(self.page)
        self.page.say_loading("Opening…")
        self.workspace.open(profile)
        self._on_organizations()
        self.tasks.cancel(KEY)
        if profile.needs_key:
            self.keys.load(profile)

    def _show_origin(self, profile: Profile) -> None:
        """What a snapshot is of, and that there is nothing to fetch for it."""
        manifest = profile.manifest if isinstance(profile, SnapshotProfile) else None
        if manifest is None:
            self.page.show_origin("")
        else:
            self.workspace.view = manifest.shown
            self.page.show_origin(origin_text(manifest), range_text(manifest))
        actions = self.actions_
        actions.close_snapshot.setVisible(manifest is not None)
        for action in (actions.replace_key, actions.forget_key, actions.erase):
            action.setEnabled(profile.needs_key)
        actions.refresh.setEnabled(not profile.read_only)
        actions.save_snapshot.setEnabled(not isinstance(profile, CombinedProfile))

    # Organizations

    def _connect_organizations(self) -> None:
        organizations = self.organizations
        self.page.organization.set_menu(organizations.menu)
        organizations.chosen.connect(self._on_organization)
        organizations.combined.connect(self._on_combined)
        organizations.changed.connect(self._on_organizations)
        organizations.said.connect(self.page.status.say)
        organizations.failed.connect(lambda error: self.page.banner.show_error(error, []))

    def _on_organization(self, profile: Profile) -> None:
        self._own_profile = profile
        self._open(profile)
        self._end_demo()

    def _on_combined(self, profiles: list[Profile]) -> None:
        self._open(CombinedProfile(profiles, clock=profiles[0].now))
        self._end_demo()

    def _on_organizations(self) -> None:
        """Another is looked at, or its name or the list has changed."""
        organizations, profile = self.organizations, self.workspace.profile
        label = organizations.label or ("" if profile is None else profile.label)
        self.page.organization.show_label(label, len(organizations.listed))
        alone = len(organizations.listed) == 1 and organizations.current == ("default",)
        self.setWindowTitle("Usage Viewer" if alone or not label else f"{visible(label)} · Usage Viewer")

    def _on_snapshot_opened(self, profile: SnapshotProfile) -> None:
        self._open(profile)
        self._end_demo()

    def open_demo(self) -> None:
        """Looks at the synthetic organization; back with *Leave the demo*."""
        if self._demo is not None:
            self.leave_demo()
            return
        self.page.say_loading("Starting the demo…")
        self._pages.setCurrentWidget(self.page)
        self.tasks.start("demo", lambda task: self._open_demo(), self._on_demo_open, self._on_error)

    def _on_demo_open(self, demo: Demo) -> None:
        self._demo = demo
        self.actions_.demo.setText("Leave the &demo")
        self._open(demo.profile)

    def leave_demo(self) -> None:
        self._open(self._own_profile)
        self._end_demo()

    def _end_demo(self) -> None:
        demo, self._demo = self._demo, None
        self.actions_.demo.setText("Open the &demo")
        if demo is not None:
            demo.close()

    def finish(self) -> None:
        """Cancels everything, waits a bounded time, closes what is open."""
        self.tasks.close()
        self.workspace.close()
        if self._demo is not None:
            self._demo.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.remembered.geometry(self.saveGeometry())
        self.remembered.write()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
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
        if settings.geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(settings.geometry, validate=False)))
        self.actions_.bars.setChecked(settings.bars)
        self.actions_.abbreviated.setChecked(settings.abbreviated)
        self.actions_.scheme[str(settings.colour_scheme)].setChecked(True)
        self._apply_looks()
        if settings.note:
            self.page.status.say(settings.note)

    # The workspace

    def _connect_workspace(self) -> None:
        workspace = self.workspace
        workspace.session_opened.connect(self._on_opened)
        workspace.session_failed.connect(self._on_session_failed)
        workspace.shown.connect(self._on_shown)
        workspace.fetching_changed.connect(lambda fetching: self._look_settled())
        workspace.recovered.connect(self._on_recovered)
        workspace.failed.connect(self._on_error)
        workspace.names_failed.connect(self._on_names_failed)
        self.proofs.changed.connect(lambda standing: self._look_settled())
        self.proofs.breaches_changed.connect(lambda breaches: self._look_settled())
        self.proofs.failed.connect(self._on_error)
        workspace.view_changed.connect(self.remembered.view)
        self.page.dataset.view_requested.connect(self._on_dataset)
        self.page.table.header.widths_changed.connect(
            lambda: self.remembered.widths(self.page.table.header.widths())
        )

    def _on_opened(self) -> None:
        self._decide()

    def _on_session_failed(self, error: UsageViewerError) -> None:
        profile = self.workspace.profile or self._own_profile
        actions: list[Action] = [("Re&try", lambda: self._open(profile))]
        if isinstance(error, StoreDamaged) and profile is self._own_profile:
            actions.append(("Start &anew", self._start_anew))
        if profile.read_only:
            actions.append(("Open &your organization", lambda: self._open(self._own_profile)))
        self.page.say_nothing()
        self._show_error(error, actions)
        self.settled.emit(self._problem)

    def _start_anew(self) -> None:
        profile = self._own_profile
        self.tasks.start(
            "open", lambda task: profile.start_anew(), lambda _: self._open(profile), self._on_session_failed
        )

    def _on_shown(self, shown: Shown) -> None:
        if shown.table.rows and self.focusWidget() in (None, self.page.dataset):
            self.page.table.setFocus()  # at first: the arrows walk in it
        self._look_settled()

    def _on_recovered(self) -> None:
        self._problem = ""
        self.page.banner.clear()

    def _on_names_failed(self, error: UsageViewerError) -> None:
        self.page.notes.say("names", f"Not all names can be shown: {error.title.lower()}. {error.hint}")
        self._look_settled()

    def _on_dataset(self, view: ViewState) -> None:
        columns = self.remembered.profile.columns.get(view.dataset, ())
        self.workspace.show_view(replace(view, columns=columns))

    def _look_settled(self) -> None:
        """Says so once nothing is under way any more and everything that was asked for is shown."""
        last, workspace = self.workspace.last, self.workspace
        if last is None or workspace.fetching or self.tasks.busy("look") or self.tasks.busy("names"):
            return
        if self.proofs.busy:
            return
        session, profile = workspace.session, workspace.profile
        if self._problem or (session is not None and (session.connected or (profile and profile.read_only))):
            self.settled.emit(self._problem)

    # The key

    def _connect_key(self) -> None:
        self.keys.loaded.connect(self._on_key_loaded)
        self.keys.accepted.connect(self._on_key_accepted)
        self.keys.refused.connect(self.key_page.show_error)
        self.keys.forgotten.connect(self._on_key_forgotten)
        self.keys.forget_failed.connect(self._on_error)
        self.key_page.key_entered.connect(self._on_key_entered)
        self.key_page.demo_requested.connect(self.open_demo)
        self.key_page.cancelled.connect(self._on_key_put_off)

    def _on_key_loaded(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self.key_page.set_place(loaded.place)
        self._decide()

    def _decide(self) -> None:
        """Once both the data and the keyring have answered: fetch, show what is held, or ask for the key."""
        session, loaded, profile = self.workspace.session, self._loaded, self.workspace.profile
        if session is not None and profile is not None and not profile.needs_key:
            if session.connected:
                self.workspace.begin_connected()
            elif not profile.read_only:
                self._on_error(KeyMissing(hint="None of them has a key. Open each by itself and enter its key."))
            return
        if session is None or loaded is None:
            return
        if loaded.key is not None:
            self.workspace.connect_key(loaded.key)
        elif session.empty:
            self._ask_for_key(replacing=False)
            if loaded.error is not None:
                self.key_page.show_error(loaded.error)
            self.settled.emit("There is no key yet.")
        else:
            self._on_error(loaded.error or KeyMissing(hint="What is held is shown. Enter an admin key for more."))

    def _ask_for_key(self, *, replacing: bool) -> None:
        self.key_page.clear()
        several = len(self.organizations.listed) > 1
        self.key_page.set_replacing(replacing, self._own_profile.label if several else "")
        self._pages.setCurrentWidget(self.key_page)

    def _on_key_put_off(self) -> None:
        self._pages.setCurrentWidget(self.page)
        session = self.workspace.session
        if session is not None and session.empty and not session.connected:
            ask = partial(self._ask_for_key, replacing=False)
            self.page.empty.say("There is no key yet", button="Enter a key", act=ask)

    def _on_key_entered(self, key: AdminKey) -> None:
        self.key_page.show_checking()
        self.keys.check_and_keep(self._own_profile, key)

    def _on_key_accepted(self, loaded: Loaded) -> None:
        self.key_page.clear()
        self._loaded = loaded
        self._pages.setCurrentWidget(self.page)
        self.page.banner.clear()
        if loaded.error is not None:
            hint = f"{loaded.error.hint} The key is in use until the window is closed."
            self._show_error(UsageViewerError(loaded.error.detail, title=loaded.error.title, hint=hint), [])
        if loaded.key is not None:
            self.workspace.connect_key(loaded.key)

    def _forget_key(self) -> None:
        answer = QMessageBox.question(
            self,
            "Forget the key",
            "Remove the admin key from the keyring? What was fetched stays on this computer.",
        )
        if answer is QMessageBox.StandardButton.Yes:
            self.keys.forget(self._own_profile)

    def _on_key_forgotten(self) -> None:
        self.workspace.disconnect_key()
        self._ask_for_key(replacing=True)

    # Commands

    def _connect_actions(self) -> None:
        actions, page = self.actions_, self.page
        connect(actions.copy, lambda: self._with_chosen(self.copying.copy))
        for action, form in (
            (actions.copy_tsv, Format.TSV),
            (actions.copy_csv, Format.CSV),
            (actions.copy_markdown, Format.MARKDOWN),
            (actions.copy_json, Format.JSON),
        ):
            connect(action, partial(self._copy_as, form))
        connect(actions.save, self._save_as)
        self._connect_snapshots()
        connect(actions.refresh, self.workspace.refresh)
        connect(actions.cancel, self.workspace.cancel)
        connect(actions.clear_filters, lambda: self.workspace.show_view(self.workspace.view.without_filters()))
        connect(actions.replace_key, lambda: self._ask_for_key(replacing=True))
        connect(actions.forget_key, self._forget_key)
        connect(actions.erase, self._erase)
        connect(actions.demo, self.open_demo)
        connect(actions.shortcuts, lambda: help_sheets.shortcut_sheet(shortcut_rows(actions), self).open())
        connect(actions.about, lambda: help_sheets.about_box(self._facts(), self).open())
        actions.quit.triggered.connect(self.close)
        for action in (actions.bars, actions.abbreviated, *actions.scheme.values()):
            action.toggled.connect(self._on_looks)
        actions.cancel.setEnabled(False)
        page.table.copy_requested.connect(self._on_copy_requested)
        page.table.selection_stats_changed.connect(page.status.show_selection)
        page.totals.copy_requested.connect(self.copying.copy_text)
        self.copying.began.connect(lambda: page.status.say("Copying…"))
        self.copying.done.connect(page.status.say)
        self.copying.failed.connect(self._on_error)

    def _connect_snapshots(self) -> None:
        actions, snapshots = self.actions_, self.snapshots
        connect(actions.save_snapshot, self._save_snapshot)
        connect(actions.open_snapshot, snapshots.ask_what_to_open)
        connect(actions.close_snapshot, lambda: self._open(self._own_profile))
        snapshots.began.connect(self.page.status.say)
        snapshots.saved.connect(self.page.status.say)
        snapshots.opened.connect(self._on_snapshot_opened)
        snapshots.failed.connect(self._on_snapshot_failed)

    def _save_snapshot(self) -> None:
        session, profile, view = self.workspace.session, self.workspace.profile, self.workspace.view
        if session is not None and profile is not None:
            proposal = f"usage-{range_name(view, self.workspace.now)}"
            self.snapshots.ask_where_to_save(
                proposal, lambda path: self.snapshots.save(session, view, profile.label, path)
            )

    def _on_snapshot_failed(self, error: UsageViewerError) -> None:
        """What was shown before stays."""
        if self.workspace.profile is None:
            self.page.say_nothing()
            self._show_error(error, [("Open &your organization", lambda: self._open(self._own_profile))])
            self.settled.emit(self._problem)
        elif not isinstance(error, Cancelled):
            self.page.banner.show_error(error, [])

    def _with_chosen(self, act: Callable[[Chosen], None]) -> None:
        """Acts on the selected rows, or on all rows if none are selected."""
        last = self.workspace.last
        if last is None or not last.table.rows:
            self.page.status.say("There is nothing to copy")
            return
        act(
            Chosen(
                last,
                self.page.table.selected_rows(),
                self.workspace.names,
                self.actions_.provenance.isChecked(),
            )
        )

    def _copy_as(self, form: Format) -> None:
        self._with_chosen(lambda chosen: self.copying.copy_as(chosen, form))

    def _on_copy_requested(self, form: str) -> None:
        if form:
            self._copy_as(Format(form))
        else:
            self._with_chosen(self.copying.copy)

    def _save_as(self) -> None:
        last = self.workspace.last
        kinds = ";;".join(f"{form.label} (*{form.suffix})" for form in Format)
        proposal = f"{proposed_name(last) if last is not None else 'usage'}.csv"
        name, kind = QFileDialog.getSaveFileName(self, "Save as", str(Path.home() / proposal), kinds)
        if not name:
            return
        path = Path(name)
        if not path.suffix:
            path = path.with_suffix(kind.rpartition("*")[2].rstrip(")"))
        self._with_chosen(lambda chosen: self.copying.save(chosen, path))

    def _erase(self) -> None:
        answer = QMessageBox.question(
            self,
            "Erase local data",
            "Remove all usage and names of this organization from this computer? They can be fetched again. "
            "The key stays in the keyring.",
        )
        session = self.workspace.session
        if answer is QMessageBox.StandardButton.Yes and session is not None:
            self.workspace.erase()

    def _facts(self) -> list[tuple[str, str]]:
        profile = self.workspace.profile or self._own_profile
        data = str(profile.database) if profile.database is not None else "In memory, gone when the window closes"
        key = self._loaded.place if self._loaded is not None else "The keyring has not answered yet"
        if isinstance(profile, SnapshotProfile):
            return [("Snapshot", str(profile.path)), ("Written by", profile.manifest.program)]
        return [("Server", profile.base_url), ("Data", data), ("Key", key)]

    # Looks

    def _on_looks(self, checked: bool) -> None:
        chosen = [name for name, action in self.actions_.scheme.items() if action.isChecked()]
        if not chosen:
            return  # between the scheme that was on and the one that comes on
        self.remembered.looks(
            bars=self.actions_.bars.isChecked(), abbreviated=self.actions_.abbreviated.isChecked(), scheme=chosen[0]
        )
        self._apply_looks()

    def _apply_looks(self) -> None:
        settings = self.remembered.settings
        self.page.table.set_presentation(Presentation(settings.abbreviated, settings.bars))
        use_scheme(str(settings.colour_scheme))

    # What went wrong

    def _on_error(self, error: UsageViewerError) -> None:
        actions: list[Action] = [("Re&try", self._retry)]
        if isinstance(error, CredentialError) and self._loaded is not None:
            actions.insert(0, ("Enter another &key", lambda: self._ask_for_key(replacing=True)))
        self._show_error(error, actions)

    def _retry(self) -> None:
        self.page.banner.clear()
        self.workspace.retry()

    def _show_error(self, error: UsageViewerError, actions: list[Action]) -> None:
        self._problem = f"{error.title}. {error.hint}"
        self.page.banner.show_error(error, actions)
        self._look_settled()

    def show_unexpected(self, error: UsageViewerError) -> None:
        """An error that nobody expected: said, while the window goes on."""
        self.page.banner.show_error(error, [])
