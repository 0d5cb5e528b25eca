"""Saves the open range as a snapshot and opens saved snapshots, with the file dialogs."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from usage_viewer.app.snapshot.archive import ZIP, SnapshotProfile, save_snapshot
from usage_viewer.app.snapshot.manifest import Manifest
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.formatting.moments import count_text, date_time_text
from usage_viewer.gui.formatting.ranges import file_name_range, range_text
from usage_viewer.gui.sources.source_controller import SourceController
from usage_viewer.gui.workspace.locale_week import week_start
from usage_viewer.gui.workspace.tasks import Task, Tasks
from usage_viewer.gui.workspace.workspace import Workspace

if TYPE_CHECKING:
    from usage_viewer.app.session.store_session import StoreSession

CHANNEL = "snapshot"
ONE_FILE, FOLDER = f"One file (*{ZIP})", "A folder of Parquet files (*)"
SNAPSHOT_FILES = f"Snapshots (*{ZIP} manifest.json)"


class SnapshotController(QObject):
    """Works in a thread, since a large snapshot takes a while."""

    opening = Signal()
    reported = Signal(str)  # a sentence for the status bar
    saved = Signal()
    failed = Signal(object)  # UsageViewerError

    def __init__(self, source: SourceController, workspace: Workspace, tasks: Tasks, window: QWidget) -> None:
        super().__init__(window)
        self._source, self._workspace, self._tasks, self._window = source, workspace, tasks, window

    def ask_where_to_save(self) -> None:
        """Ask for a file and save the stored data of the view's range there."""
        session, profile, view = self._workspace.store_session, self._workspace.profile, self._workspace.view
        if session is None or profile is None:
            return
        days = view.range.wall(self._workspace.now, view.tzinfo, week_start(QLocale()))
        proposal = f"usage-{file_name_range(*days)}{ZIP}"
        name, kind = QFileDialog.getSaveFileName(
            self._window, "Save snapshot", str(Path.home() / proposal), f"{ONE_FILE};;{FOLDER}"
        )
        if name:
            self.save(session, view, profile.label, path_with_ending(name, kind))

    def save(self, session: "StoreSession", view: ViewState, organization: str, path: Path) -> None:
        """Write a snapshot of the view's range to `path`, a zip file or a folder."""

        def work(task: Task) -> Manifest:
            return save_snapshot(session, view, path, organization=organization, cancellation=task.cancellation)

        self.reported.emit("Saving the snapshot…")
        self._tasks.start(
            CHANNEL,
            work,
            lambda manifest: self._on_saved(manifest, path),
            self.failed.emit,
        )

    def _on_saved(self, manifest: Manifest, path: Path) -> None:
        self.reported.emit(saved_text(manifest, path, QLocale()))
        self.saved.emit()

    def ask_what_to_open(self) -> None:
        """Ask for a snapshot and open it."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open snapshot", str(Path.home()), SNAPSHOT_FILES)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Read the snapshot's manifest in a worker, then opens it as the source."""
        self.opening.emit()
        self._tasks.start(CHANNEL, lambda task: SnapshotProfile(path), self._source.open, self.failed.emit)


def path_with_ending(name: str, kind: str) -> Path:
    """Return the path for a name typed into the dialog, which adds no ending itself; a folder has no `.zip`."""
    path = Path(name)
    if kind == FOLDER:
        return path.with_suffix("") if path.suffix.lower() == ZIP else path
    return path if path.suffix.lower() == ZIP else path.with_name(f"{path.name}{ZIP}")


def saved_text(manifest: Manifest, path: Path, locale: QLocale) -> str:
    """Return a sentence with the number of saved rows of usage."""
    rows = sum(
        part.rows for name, part in manifest.files.items() if name.removesuffix(".parquet") in manifest.datasets
    )
    return f"Saved {count_text(rows, 'row', locale)} to {path.name}"


def origin_text(manifest: Manifest) -> str:
    """Return `Snapshot of 2026-11-23 14:02`, in this computer's time zone."""
    return f"Snapshot of {date_time_text(manifest.moment)}"


def contained_range_text(manifest: Manifest) -> str:
    """Return which range a snapshot contains, to explain why another one is empty."""
    return f"This snapshot contains {range_text(manifest.start, manifest.end, QLocale())} (UTC)."
