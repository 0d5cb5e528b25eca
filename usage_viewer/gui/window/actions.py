"""Defines the window's commands with their keys, menu and tooltips."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from usage_viewer.gui.bars.filter_bar import CLEAR_SHORTCUT
from usage_viewer.gui.table.table_menus import COPY_CELL_KEY
from usage_viewer.gui.widgets.theme import SCHEMES
from usage_viewer.gui.window.status_bar import CANCEL_KEY

Key = QKeySequence.StandardKey | str

SCHEME_TIPS = {
    "system": "Follows the light or dark setting of the system",
    "light": "Dark text on light",
    "dark": "Light text on dark",
}


class Actions(QObject):
    """Has every command once; menus, buttons and keys share the same actions."""

    def __init__(self, window: QWidget, organization_menu: QMenu) -> None:
        super().__init__(window)
        self._window = window
        self._organization_menu = organization_menu
        self.all: list[QAction] = []
        key = QKeySequence.StandardKey
        self.copy = self._add("&Copy", key.Copy, "Copies the rows with headers, for spreadsheets, mails and text")
        self.copy_totals = self._add("Copy wit&h totals", "Ctrl+Shift+T", "Copies the rows with headers and totals")
        self.copy_cell = self._add("Copy cell &value", COPY_CELL_KEY, "Copies the current cell's value alone")
        self.copy_tsv = self._add("&TSV without headers", None, "Tab-separated text")
        self.copy_csv = self._add("CS&V without headers", None, "Comma-separated text")
        self.copy_markdown = self._add("&Markdown", None, "A Markdown table")
        self.copy_json = self._add("&JSON (raw numbers, ids)", None, "One array of objects")
        self.provenance = self._toggle(
            "Include a &source line", None, "Adds range, time zone, filters and load time above each copy"
        )
        self.list_cells = self._toggle(
            "&List the cells of a pivot",
            None,
            "Copies and saves a row for each cell of a table with periods or a dimension as columns",
        )
        self.save = self._add(
            "&Save as…", key.Save, "Writes the rows to a file: Excel workbook, CSV, TSV, HTML, Markdown or JSON"
        )
        self.save_snapshot = self._add(
            "Save s&napshot…", None, "Writes the downloaded data of this range, of every dataset, as Parquet files"
        )
        self.open_snapshot = self._add("O&pen snapshot…", key.Open, "Shows a saved snapshot; no key is needed")
        self.close_snapshot = self._add("Close the snapsho&t", None, "Goes back to your organization")
        self.close_snapshot.setVisible(False)
        self.refresh = self._add("Re&fresh", key.Refresh, "Reloads recent days")
        self.refetch = self._add("Reload the &whole range", "Ctrl+F5", "Loads every day of the range again")
        self.ask_again = self._add(
            "As&k again for unavailable groupings",
            "Ctrl+Shift+F5",
            "Asks OpenAI again for groupings of this dataset that it did not grant",
        )
        self.cancel = self._add("Stop loadin&g", CANCEL_KEY, "Stops loading; data already downloaded is kept")
        # No letter: a sentence typed into the open menu must not clear anything.
        self.clear_filters = self._add("Clear all filters", CLEAR_SHORTCUT, "Shows all usage of the range")
        self.back = self._add("Back", key.Undo, "Shows the view before the last change, with its selected rows")
        self.forward = self._add("Forward", key.Redo, "Shows again the view that Back left")
        for action, arrow in ((self.back, "Alt+Left"), (self.forward, "Alt+Right")):
            action.setShortcuts([*action.shortcuts(), QKeySequence(arrow)])
        self.saved_views = QMenu("Saved views", window)
        self.saved_views.setToolTipsVisible(True)
        self.saved_view = [
            self._add(f"Saved view {number}", f"Ctrl+{number}", "Shows this saved view; Back leaves it")
            for number in range(1, 10)
        ]
        self.save_view = self._add("&Save this view…", "Ctrl+D", "Saves what the table shows under a name")
        self.edit_views = self._add(
            "&Edit saved views…",
            "Ctrl+Shift+D",
            "Renames, updates, reorders, removes, exports and imports saved views",
        )
        self.origins = self._add(
            "Show sou&rces…", "Ctrl+I", "Lists the periods, records and load times behind the current cell"
        )
        self.changes = self._add("Restated figures…", "Ctrl+H", "Lists figures that the server changed later")
        self.unusual = self._add(
            "Unusua&l days…", "Ctrl+U", "Lists days that are the furthest above what their weekday usually has"
        )
        self.reconcile = self._add(
            "&Reconcile with usage…", "Ctrl+Shift+R", "Lists where the bill and the usage differ, with the reason"
        )
        self.prices = self._add(
            "&Prices…",
            "Ctrl+Shift+P",
            "Lists your own prices with their changes, of the current cell's line items",
        )
        self.line_items = self._add(
            "&Line items…", "Ctrl+Shift+I", "Lists what each line item is attributed to; maps one by hand"
        )
        self.prove = self._add("Verify totals now", "Ctrl+K", "Compares the downloaded totals with OpenAI's")
        self.columns = self._add("Col&umns…", "Alt+C", "Chooses the figures that are shown as columns")
        self.include_empty = self._toggle(
            "Include em&pty rows",
            "Ctrl+E",
            "Adds rows for idle periods, and for keys, people and projects without usage",
        )
        self.bars = self._toggle("Bars &in cells", "Ctrl+B", "Shows each row's share of the sorted figure")
        self.abbreviated = self._toggle(
            "Short num&bers (1.2 M)", "Ctrl+Shift+A", "Shows 1.23 M for 1,234,567; copies stay exact"
        )
        self.chart = self._toggle("Ch&art", "Ctrl+G", "Shows the table's figures as bars above it")
        self.copy_chart = self._add("&Copy chart", "Ctrl+Shift+G", "Copies the chart as a picture")
        self.save_chart = self._add("&Save chart as…", None, "Writes the chart as a picture (PNG) or drawing (SVG)")
        self.print_chart = self._add("&Print chart…", key.Print, "Prints the chart")
        self.replace_key = self._add("Change admin &key…", None, "Checks and stores another admin key")
        self.forget_key = self._add("Re&move admin key…", None, "Removes the admin key from this computer")
        self.erase = self._add("Delete do&wnloaded data…", None, "Deletes the usage and names on this computer")
        self.erase_all = self._add("D&elete all data and keys…", None, "Deletes keys, data and settings")
        self.erase_all.setVisible(False)
        self.demo = self._add("Open the &demo", None, "Opens a sample organization")
        self.shortcuts = self._add("Ke&yboard shortcuts", key.HelpContents, "Lists every key")
        self.about = self._add("Abo&ut Usage Viewer", None, "Version, licences, and where data is kept")
        self.quit = self._add("&Quit", "Ctrl+Q", "Closes the window")
        self.scheme = {name: self._toggle(f"&{name.capitalize()}", None, SCHEME_TIPS[name]) for name in SCHEMES}
        group = QActionGroup(self)
        for action in self.scheme.values():
            group.addAction(action)
        self.of_table = self._table_commands()

    def _table_commands(self) -> QActionGroup:
        """Return the commands that act on the table: they can be disabled together while it is not visible."""
        group = QActionGroup(self)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.None_)
        elsewhere = {
            self.cancel, self.open_snapshot, self.close_snapshot, self.replace_key, self.forget_key, self.erase,
            self.erase_all, self.demo, self.shortcuts, self.about, self.quit, *self.scheme.values(),
        }  # fmt: skip
        for action in self.all:
            if action not in elsewhere:
                group.addAction(action)
        return group

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

    def show_chosen_rows(self, rows: str) -> None:
        """Say which rows are copied and saved, such as `all 46 rows`."""
        self.copy.setText(f"&Copy {rows}")
        self.save.setText(f"&Save {rows} as…")

    def show_demo_open(self, is_open: bool) -> None:
        """Set the text of the demo command: open or leave."""
        self.demo.setText("Leave the &demo" if is_open else "Open the &demo")

    def menu(self, parent: QWidget) -> QMenu:
        """Build the menu of the ⋯ button."""
        menu = QMenu(parent)
        menu.addActions([self.copy, self.save])
        menu.addSeparator()
        for below in (
            self._export_menu(menu),
            self._view_menu(menu),
            self._bill_menu(menu),
            self._organization_menu_of(menu),
            self._help_menu(menu),
        ):
            below.setToolTipsVisible(True)
            menu.addMenu(below)
        menu.addSeparator()
        menu.addAction(self.quit)
        menu.setToolTipsVisible(True)
        return menu

    def _export_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("&Export", parent)
        menu.addActions([self.copy_totals, self.copy_cell])
        menu.addMenu(self._copy_menu(menu))
        menu.addActions([self.provenance, self.list_cells])
        menu.addSeparator()
        chart = menu.addMenu("&Chart")
        chart.setToolTipsVisible(True)
        chart.addActions([self.copy_chart, self.save_chart, self.print_chart])
        menu.addSeparator()
        menu.addActions([self.save_snapshot, self.open_snapshot, self.close_snapshot])
        return menu

    def _view_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("&View", parent)
        menu.addActions([self.refresh, self.refetch, self.ask_again, self.cancel])
        menu.addSeparator()
        menu.addActions([self.back, self.forward, self.clear_filters])
        menu.addSeparator()
        menu.addActions([self.chart, self.columns, self.include_empty, self.bars, self.abbreviated])
        colours = menu.addMenu("C&olors")
        colours.addActions(list(self.scheme.values()))
        menu.addSeparator()
        menu.addActions([self.unusual, self.origins, self.changes, self.prove])
        return menu

    def _bill_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("&Bill", parent)
        menu.addActions([self.prices, self.reconcile, self.line_items])
        return menu

    def _organization_menu_of(self, parent: QWidget) -> QMenu:
        menu = QMenu("&Organization", parent)
        menu.addMenu(self._organization_menu)
        menu.addSeparator()
        menu.addActions([self.replace_key, self.forget_key])
        menu.addSeparator()
        menu.addActions([self.erase, self.erase_all])
        return menu

    def _help_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("&Help", parent)
        menu.addActions([self.shortcuts, self.demo])
        menu.addSeparator()
        menu.addAction(self.about)
        return menu

    def _copy_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu("Copy &as", parent)
        menu.setToolTipsVisible(True)
        menu.addActions([self.copy_tsv, self.copy_csv, self.copy_markdown, self.copy_json])
        return menu


def connect(action: QAction, act: Callable[[], object]) -> None:
    """Call `act` without the checked state that Qt sends along."""
    action.triggered.connect(lambda _checked=False: act())
