"""*Save snapshot* and *Open snapshot*: the dialogs, and the work behind them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from usage_viewer.app.snapshot.archive import ZIP, SnapshotProfile, save_snapshot
from usage_viewer.app.snapshot.manifest import Manifest
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.workspace.tasks import Task, Tasks

if TYPE_CHECKING:
    from usage_viewer.app.session.store_session import StoreSession

CHANNEL = "snapshot"
ONE_FILE, FOLDER = f"One file (*{ZIP})", "A folder of Parquet files (*)"
TO_OPEN = f"Snapshots (*{ZIP} manifest.json)"


class SnapshotController(QObject):
    """Says what came of it; a large one takes a while, and the window goes on meanwhile."""

    began = Signal(str)
    saved = Signal(str)  # what to tell the user
    opened = Signal(object)  # SnapshotProfile
    failed = Signal(object)  # UsageViewerError

    def __init__(self, tasks: Tasks, window: QWidget) -> None:
        super().__init__(window)
        self._tasks, self._window = tasks, window

    def ask_where_to_save(self, proposal: str, save: Callable[[Path], None]) -> None:
        """`proposal` is a file's name without ending; `save` hears the path if one is chosen."""
        name, kind = QFileDialog.getSaveFileName(
            self._window, "Save snapshot", str(Path.home() / f"{proposal}{ZIP}"), f"{ONE_FILE};;{FOLDER}"
        )
        if name:
            save(chosen_path(name, kind))

    def save(self, session: "StoreSession", view: ViewState, organization: str, path: Path) -> None:
        def work(task: Task) -> Manifest:
            return save_snapshot(session, view, path, organization=organization, cancellation=task.cancellation)

        self.began.emit("Saving the snapshot…")
        self._tasks.start(
            CHANNEL,
            work,
            lambda manifest: self.saved.emit(saved_text(manifest, path, QLocale())),
            self.failed.emit,
        )

    def ask_what_to_open(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self._window, "Open snapshot", str(Path.home()), TO_OPEN)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Looks into it, in a worker; `opened` has it as a profile."""
        self._tasks.start(CHANNEL, lambda task: SnapshotProfile(path), self.opened.emit, self.failed.emit)


def chosen_path(name: str, kind: str) -> Path:
    """The dialog doesn't add an ending by itself; for a folder, that of a file is taken off."""
    path = Path(name)
    if kind == FOLDER:
        return path.with_suffix("") if path.suffix.lower() == ZIP else path
    return path if path.suffix.lower() == ZIP else path.with_name(f"{path.name}{ZIP}")


def saved_text(manifest: Manifest, path: Path, locale: QLocale) -> str:
    rows = sum(
        part.rows for name, part in manifest.files.items() if name.removesuffix(".parquet") in manifest.datasets
    )
    return f"Saved {locale.toString(rows)} {'row' if rows == 1 else 'rows'} to {path.name}"


def origin_text(manifest: Manifest) -> str:
    """As "Snapshot of 2026-11-23 14:02", in this computer's zone."""
    saved = QDateTime.fromSecsSinceEpoch(manifest.moment).toString("yyyy-MM-dd HH:mm")
    return f"Snapshot of {saved}"


def range_text(manifest: Manifest) -> str:
    """What it holds, for a range that isn't in it."""
    form = "%Y-%m-%d %H:%M"
    return f"It holds {manifest.start:{form}} to {manifest.end:{form}} UTC."
