"""Holds the saved views while the window runs; other windows and the command line use the same file."""

from pathlib import Path

from PySide6.QtCore import QLocale, QObject, Signal

from usage_viewer.app.settings.saved_views import Change, SavedView, SavedViews
from usage_viewer.app.settings.view_file import change_views, load_views
from usage_viewer.gui.workspace.locale_week import week_start


class SavedViewList(QObject):
    """Reads and edits the file; with `path` None, the views are those of this run alone."""

    changed = Signal()

    def __init__(self, path: Path | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        stored = load_views(path)
        self.views: SavedViews = stored.views
        self.note = stored.note

    def reload(self) -> None:
        """Read the file again: another window may have changed it."""
        if self._path is not None:
            stored = load_views(self._path)
            self.note = stored.note
            self._set(stored.views)

    def change(self, change: Change) -> None:
        """Apply an edit to the views that are in the file now.

        Raises InputError of the edit, StoreNotWritable, ViewFileNewer.
        """
        if self._path is None:
            self._set(change(self.views))
        else:
            self._set(change_views(self._path, change, week_start(QLocale())))
            self.note = ""

    def at(self, position: int) -> SavedView | None:
        """Return the view at a position; None if there is none."""
        return self.views[position] if 0 <= position < len(self.views) else None

    def _set(self, views: SavedViews) -> None:
        if views != self.views:
            self.views = views
            self.changed.emit()
