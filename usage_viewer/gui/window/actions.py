"""The window's commands, each with its key, and the sheet that lists them."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.gui.widgets.theme import SCHEMES
from usage_viewer.gui.window.status_bar import CANCEL_KEY

Key = QKeySequence.StandardKey | str

SCHEME_TIPS = {
    "system": "Light or dark as the system is",
    "light": "Dark text on light",
    "dark": "Light text on dark",
}


class Actions(QObject):
    """Every command once; menus, buttons and keys all use these."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.organizations = QMenu("Organi&zations", window)
        self.all: list[QAction] = []
        key = QKeySequence.StandardKey
        self.copy = self._add("&Copy", key.Copy, "Copies the selected rows with headers, or all rows")
        self.copy_tsv = self._add("&TSV without headers", None, "Tab-separated text")
        self.copy_csv = self._add("CS&V without headers", None, "Comma-separated text")
        self.copy_markdown = self._add("&Markdown", None, "A Markdown table")
        self.copy_json = self._add("&JSON (raw numbers, ids)", None, "One array of objects")
        self.provenance = self._toggle(
            "With a &provenance line", None, "Puts range, zone, filters and fetch time in front of each copy"
        )
        self.save = self._add("&Save as…", key.Save, "Writes the selected rows, or all rows, to a file")
        self.save_snapshot = self._add(
            "Save s&napshot…", None, "Writes what is held of this range, of every dataset, as Parquet files"
        )
        self.open_snapshot = self._add("O&pen snapshot…", key.Open, "Shows a saved snapshot; no key is needed")
        self.close_snapshot = self._add("Close the snapsho&t", None, "Goes back to your organization")
        self.close_snapshot.setVisible(False)
        self.refresh = self._add("Re&fresh", key.Refresh, "Fetches again whatever may have grown")
        self.cancel = self._add("Stop loadin&g", CANCEL_KEY, "Stops loading; data already downloaded is kept")
        self.clear_filters = self._add("Clear a&ll filters", None, "Shows everything again")
        self.origins = self._add(
            "Show sou&rces…", "Ctrl+I", "Lists the periods, records and load times behind the current cell"
        )
        self.changes = self._add("What c&hanged…", "Ctrl+H", "Lists figures that a later fetch told otherwise")
        self.prove = self._add("Check co&mpleteness", "Ctrl+K", "Compares what is held with the server's own sums")
        self.bars = self._toggle("Bars &in cells", "Ctrl+B", "Shows each row's share of the sorted figure")
        self.abbreviated = self._toggle(
            "Short num&bers (1.2 M)", "Ctrl+Shift+A", "Shows 1.23 M for 1,234,567; copies stay exact"
        )
        self.replace_key = self._add("Change admin &key…", None, "Checks another admin key and keeps it")
        self.forget_key = self._add("Remo&ve admin key…", None, "Removes the admin key from this computer")
        self.erase = self._add("Delete do&wnloaded data…", None, "Deletes the usage and names on this computer")
        self.erase_all = self._add("D&elete all data and keys…", None, "Deletes keys, data and settings")
        self.erase_all.setVisible(False)
        self.demo = self._add("Open the &demo", None, "Looks at a synthetic organization")
        self.shortcuts = self._add("Ke&yboard shortcuts", key.HelpContents, "Lists every key")
        self.about = self._add("Abo&ut Usage Viewer", None, "Version, licences, and where data is kept")
        self.quit = self._add("&Quit", "Ctrl+Q", "Closes the window")
        self.scheme = {name: self._toggle(f"&{name.capitalize()}", None, SCHEME_TIPS[name]) for name in SCHEMES}
        group = QActionGroup(self)
        for action in self.scheme.values():
            group.addAction(action)

    def _add(self, text: str, key: Key | None, tip: str) -> QAction:
        action = QAction(text, self._window)
        if key is not None:
            action.setShortcuts(QKeySequence.keyBindings(key) if not isinstance(key, str) else [QKeySequence(key)])
        action.setStatusTip(tip)
        action.setToolTip(tip)
        self._window.addAction(action)
        self.all.append(action)
        return action

    def _toggle(self, text: str, key: Key | None, tip: str) -> QAction:
        action = self._add(text, key, tip)
        action.setCheckable(True)
        return action

    def menu(self, parent: QWidget) -> QMenu:
        """What the ⋯ button opens."""
        menu = QMenu(parent)
        menu.setToolTipsVisible(True)
        menu.addAction(self.copy)
        menu.addMenu(self.copy_menu(menu))
        menu.addAction(self.save)
        menu.addSeparator()
        menu.addActions([self.save_snapshot, self.open_snapshot, self.close_snapshot])
        menu.addSeparator()
        menu.addActions([self.refresh, self.cancel, self.clear_filters])
        menu.addSeparator()
        menu.addActions([self.origins, self.changes, self.prove])
        menu.addSeparator()
        menu.addActions([self.bars, self.abbreviated])
        colours = menu.addMenu("C&olors")
        colours.addActions(list(self.scheme.values()))
        menu.addSeparator()
        menu.addMenu(self.organizations)
        menu.addActions([self.replace_key, self.forget_key, self.erase, self.erase_all, self.demo])
        menu.addSeparator()
        menu.addActions([self.shortcuts, self.about, self.quit])
        return menu

    def copy_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("Copy &as", parent)
        menu.setToolTipsVisible(True)
        menu.addActions([self.copy_tsv, self.copy_csv, self.copy_markdown, self.copy_json])
        menu.addSeparator()
        menu.addAction(self.provenance)
        return menu


OTHER_KEYS = (
    ("Go to the next or previous control", "Tab, Shift+Tab"),
    ("Organization", "Alt+U"),
    ("Dataset, range, period, time zone", "Alt+D, Alt+R, Alt+P, Alt+Z"),
    ("Grouping, filters", "Alt+G, Alt+L"),
    ("Clear all filters", "Ctrl+Shift+L"),
    ("Menu", "Alt+O"),
    ("Sort by a column", "Click its header"),
    ("Sort by a further column", "Ctrl+click its header"),
    ("Sort by the current column", "Ctrl+Shift+S"),
    ("Menu of a cell or a header", "Menu key or Shift+F10"),
    ("Filter to the current cell", "Enter"),
    ("Move a grouping chip", "Ctrl+Left, Ctrl+Right"),
    ("Remove a chip", "Delete"),
    ("Earlier or later range", "Alt+Left, Alt+Right"),
    ("Search", "Ctrl+F"),
    ("Select all rows", "Ctrl+A"),
)


def shortcut_rows(actions: Actions) -> list[tuple[str, str]]:
    """What each key does, for the sheet."""
    native = QKeySequence.SequenceFormat.NativeText
    own = [
        (action.text().replace("&", ""), action.shortcut().toString(native))
        for action in actions.all
        if action.shortcuts()
    ]
    return [*own, *OTHER_KEYS]


def connect(action: QAction, act: Callable[[], None]) -> None:
    """Calls `act` without the checked state that Qt sends along."""
    action.triggered.connect(lambda _checked=False: act())
