"""Holds the saved views while the window runs; other windows and the command line use the same file."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, Signal

from usage_viewer.gui.workspace.locale_week import week_start

if TYPE_CHECKING:
    from usage_viewer.app.settings.saved_views import Change, SavedView, SavedViews


class SavedViewList(QObject):
    """Reads and edits the file; with `path` None, the views are those of this run alone.

    The file is read when the views are first asked for, not on the way to the first paint.
    """

    changed = Signal()

    def __init__(self, path: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._views: SavedViews | None = None
        self._note = ""

    @property
    def views(self) -> "SavedViews":
        """Returns the views in the user's order."""
        if self._views is None:
            self._load()
        assert self._views is not None
        return self._views

    @property
    def note(self) -> str:
        """Returns a sentence about a problem when the views were read; "" if there was none."""
        if self._views is None:
            self._load()
        return self._note

    def reload(self) -> None:
        """Read the file again: another window may have changed it."""
        if self._path is not None or self._views is None:
            self._load()

    def change(self, change: "Change") -> None:
        """Apply an edit to the views that are in the file now.

        Raises InputError of the edit, StoreNotWritable, ViewFileNewer.
        """
        from usage_viewer.app.settings.view_file import change_views

        if self._path is None:
            self._set(change(self.views))
        else:
            self._set(change_views(self._path, change, week_start(QLocale())))
            self._note = ""

    def at(self, position: int) -> "SavedView | None":
        """Return the view at a position; None if there is none."""
        return self.views[position] if 0 <= position < len(self.views) else None

    def _load(self) -> None:
        from usage_viewer.app.settings.view_file import load_views

        stored = load_views(self._path)
        self._note = stored.note
        self._set(stored.views)

    def _set(self, views: "SavedViews") -> None:
        if views != self._views:
            self._views = views
            self.changed.emit()
