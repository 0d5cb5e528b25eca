"""Defines the dialogs of saved views: one asks for a name, one lists all views and edits the list."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from usage_viewer.app.settings import saved_views
from usage_viewer.app.settings.saved_views import LONGEST_NAME, Change, SavedView, new_view
from usage_viewer.app.settings.view_file import export_views, read_view_file
from usage_viewer.domain.errors import InputError, UsageViewerError
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.popup import PopupListDelegate
from usage_viewer.gui.widgets.theme import UNIT, error_colour, plain_label
from usage_viewer.gui.workspace.saved_view_list import SavedViewList

FILES = "Saved views (*.json)"
PROPOSED_FILE = "usage-views.json"
_KEYS = 9
"""Views that have a key."""


class SaveViewDialog(FormDialog):
    """Asks for a name and gives it to `save`."""

    def __init__(self, parent: QWidget, proposed: str, save: Callable[[str], None]) -> None:
        super().__init__(
            parent,
            "Save this view",
            "Keeps dataset, range, grouping, filters, order, columns, zone and comparison. A range such as "
            "This month moves with the calendar.",
            "&Save",
            lambda: _with_input_error(partial(save, self.name.text())),
        )
        self.name = _name_field(self, proposed)


class RenameViewDialog(FormDialog):
    """Asks for another name and gives it to `rename`."""

    def __init__(self, parent: QWidget, name: str, rename: Callable[[str], None]) -> None:
        super().__init__(
            parent,
            f"Rename {name}",
            "Only the name changes.",
            "&Rename",
            lambda: _with_input_error(partial(rename, self.name.text())),
        )
        self.name = _name_field(self, name)


class RemoveViewDialog(FormDialog):
    """Confirms a removal, which can be undone; *Cancel* is the default."""

    def __init__(self, parent: QWidget, name: str, remove: Callable[[], None]) -> None:
        super().__init__(
            parent,
            f"Remove {name}",
            "The view no longer appears here. No usage is deleted.",
            "Re&move",
            lambda: _with_input_error(remove),
            cancel_is_default=True,
        )


class SavedViewsDialog(QDialog):
    """Lists all saved views with the commands that edit them; errors are shown below the list.

    `shown` is the view that the table shows. `undo` takes back the last removal or update; it is visible until the
    dialog is closed.
    """

    chosen = Signal(object)  # SavedView to show

    def __init__(self, views: SavedViewList, shown: ViewState, parent: QWidget) -> None:
        super().__init__(parent)
        self._views, self._shown = views, shown
        self._undo: Change | None = None
        self._ids: list[str] = []
        self.setWindowTitle("Saved views")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.items = QTreeWidget(self)
        self.items.setColumnCount(2)
        self.items.setHeaderHidden(True)
        self.items.setRootIsDecorated(False)
        self.items.setItemDelegate(PopupListDelegate(self.items))
        self.items.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.items.setAccessibleName("Saved views")
        self.items.setAllColumnsShowFocus(True)
        self.items.header().setStretchLastSection(False)
        self.items.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.items.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.message = plain_label("", self, wrap=True)
        self.undo = self._button("&Undo", self._on_undo, "Takes back the last removal or update (Ctrl+Z)")
        self.undo.setVisible(False)
        self.buttons = {
            "show": self._button("&Show", self._on_show, "Shows the view (Enter)"),
            "rename": self._button("&Rename…", self._ask_to_rename, "Changes the name (F2)"),
            "update": self._button("U&pdate", self._update, "Saves what the table shows under this name"),
            "up": self._button("Move &up", partial(self._move, -1), "Moves the view up (Ctrl+Up)"),
            "down": self._button("Move &down", partial(self._move, 1), "Moves the view down (Ctrl+Down)"),
            "remove": self._button("Re&move…", self._ask_to_remove, "Removes the view (Delete)"),
            "export": self._button("&Export…", self._ask_where_to_export, "Writes all views to a file"),
            "import": self._button("&Import…", self._ask_what_to_import, "Adds the views of a file"),
            "close": self._button("Close", self.reject, "Closes the list (Esc)"),
        }
        self.buttons["show"].setDefault(True)
        self._lay_out()
        self._add_keys()
        self.items.itemDoubleClicked.connect(lambda _: self._on_show())
        self.items.currentItemChanged.connect(lambda *_: self._update_buttons())
        views.changed.connect(self._fill)
        self._fill()
        self._say(views.note, is_error=True)
        self.items.setFocus()

    def _button(self, text: str, act: Callable[[], object], tip: str) -> QPushButton:
        button = QPushButton(text, self, autoDefault=False)
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, keys still go to the list
        button.clicked.connect(lambda _checked=False: act())
        return button

    def _lay_out(self) -> None:
        commands = QVBoxLayout()
        commands.setSpacing(UNIT)
        for name, button in self.buttons.items():
            if name in ("export", "close"):
                commands.addSpacing(2 * UNIT) if name == "export" else commands.addStretch(1)
            commands.addWidget(button)
        row = QHBoxLayout()
        row.setSpacing(2 * UNIT)
        row.addWidget(self.items, 1)
        row.addLayout(commands)
        below = QHBoxLayout()
        below.addWidget(self.message, 1)
        below.addWidget(self.undo)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * UNIT, 3 * UNIT, 3 * UNIT, 2 * UNIT)
        column.setSpacing(2 * UNIT)
        column.addLayout(row, 1)
        column.addLayout(below)
        self.resize(64 * UNIT, 52 * UNIT)

    @property
    def current(self) -> SavedView | None:
        """Returns the view that the commands act on; None if there is none."""
        return self._views.at(self._row)

    @property
    def _row(self) -> int:
        item: QTreeWidgetItem | None = self.items.currentItem()
        return self.items.indexOfTopLevelItem(item) if item is not None else -1

    def _add_keys(self) -> None:
        """Give the list its keys; a dialog above it has its own."""
        for key, act in (
            ("F2", self._ask_to_rename),
            ("Delete", self._ask_to_remove),
            ("Ctrl+Up", partial(self._move, -1)),
            ("Ctrl+Down", partial(self._move, 1)),
            ("Ctrl+Z", self._on_undo),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(act)

    def _fill(self) -> None:
        """List the views; the current one stays the current one."""
        row = max(self._row, 0)
        id = self._ids[row] if row < len(self._ids) else ""
        self._ids = [one.id for one in self._views.views]
        self.items.clear()
        for position, one in enumerate(self._views.views):
            key = QKeySequence(f"Ctrl+{position + 1}") if position < _KEYS else QKeySequence()
            text = key.toString(QKeySequence.SequenceFormat.NativeText)
            self.items.addTopLevelItem(QTreeWidgetItem([one.name, text]))
        row = self._ids.index(id) if id in self._ids else min(row, len(self._ids) - 1)
        item = self.items.topLevelItem(row)
        if item is not None:
            self.items.setCurrentItem(item)
        self._update_buttons()

    def _update_buttons(self) -> None:
        row, rows = self._row, self.items.topLevelItemCount()
        for name in ("show", "rename", "update", "remove"):
            self.buttons[name].setEnabled(row >= 0)
        self.buttons["up"].setEnabled(row > 0)
        self.buttons["down"].setEnabled(0 <= row < rows - 1)
        self.buttons["export"].setEnabled(rows > 0)

    def _on_show(self) -> None:
        current = self.current
        if current is not None:
            self.accept()
            self.chosen.emit(current)

    def _move(self, step: int) -> None:
        if (current := self.current) is not None:
            self._try(lambda: self._views.change(lambda views: saved_views.move(views, current.id, step)))

    def _ask_to_rename(self) -> None:
        if (current := self.current) is not None:
            RenameViewDialog(self, current.name, partial(self._rename, current)).open()

    def _rename(self, saved: SavedView, name: str) -> None:
        self._views.change(lambda views: saved_views.rename(views, saved.id, name))
        self._say("")

    def _ask_to_remove(self) -> None:
        if (current := self.current) is not None:
            RemoveViewDialog(self, current.name, partial(self._remove, current)).open()

    def _remove(self, saved: SavedView) -> None:
        ids = [one.id for one in self._views.views]
        position = ids.index(saved.id) if saved.id in ids else len(ids)  # another window may have removed it
        self._views.change(lambda views: saved_views.remove(views, saved.id))
        self._offer_undo(lambda views: saved_views.put_back(views, saved, position), f"Removed {saved.name}.")

    def _update(self) -> None:
        current, new = self.current, new_view("", self._shown)
        if current is not None and self._try(
            lambda: self._views.change(lambda views: saved_views.replace_view(views, current.id, new))
        ):
            self._offer_undo(
                lambda views: saved_views.replace_view(views, current.id, current),
                f"{current.name} is now what the table shows.",
            )

    def _offer_undo(self, undo: Change, done: str) -> None:
        self._undo = undo
        self.undo.setVisible(True)
        self._say(done)

    def _on_undo(self) -> None:
        undo = self._undo
        if undo is not None and self._try(lambda: self._views.change(undo)):
            self._undo = None
            self.undo.setVisible(False)
            self._say("The view is as it was.")

    # Files

    def _ask_where_to_export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export views", str(Path.home() / PROPOSED_FILE), FILES)
        if name:
            path = Path(name)
            self.export_to(path if path.suffix else path.with_suffix(".json"))

    def export_to(self, path: Path) -> None:
        """Write all views to a file."""
        if self._try(lambda: export_views(path, self._views.views)):
            self._say(f"Exported {_count(len(self._views.views))} to {path.name}.")

    def _ask_what_to_import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Import views", str(Path.home()), FILES)
        if name:
            self.import_from(Path(name))

    def import_from(self, path: Path) -> None:
        """Add the views of a file at the end of the list, all or none."""

        def act() -> None:
            imported = read_view_file(path)
            self._views.change(lambda views: saved_views.import_views(views, imported))
            self._say(f"Imported {_count(len(imported))}.")

        self._try(act)

    def _try(self, act: Callable[[], object]) -> bool:
        """Act and report whether that worked; an error is shown below the list."""
        try:
            act()
        except UsageViewerError as error:
            self._say(f"{error.title}. {error.hint} {error.detail}".strip(), is_error=True)
            return False
        return True

    def _say(self, text: str, *, is_error: bool = False) -> None:
        palette = self.palette()
        if is_error:
            palette.setColor(QPalette.ColorRole.WindowText, error_colour(self.palette()))
        self.message.setPalette(palette)
        self.message.setText(text)
        self.message.setAccessibleName(text)


def _count(number: int) -> str:
    return f"{number} view{'' if number == 1 else 's'}"


def _with_input_error(act: Callable[[], object]) -> None:
    """Act; raise an error of the disk as InputError, which a form shows in place."""
    try:
        act()
    except InputError:
        raise
    except UsageViewerError as error:
        raise InputError(error.detail, title=error.title, hint=f"{error.hint} {error.detail}".strip()) from error


def _name_field(dialog: FormDialog, text: str) -> LineEdit:
    field = LineEdit(dialog)
    field.setMaxLength(2 * LONGEST_NAME)
    field.setAccessibleName("Name")
    field.setText(text)
    field.selectAll()
    form = QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    form.addRow("&Name", field)
    dialog.body.addLayout(form)
    return field
