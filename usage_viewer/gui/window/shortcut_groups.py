"""Lists the keys of the window in groups, for the help dialog."""

from collections.abc import Iterator, Sequence

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from usage_viewer.gui.widgets.plain_text import shown_menu_text

ShortcutGroup = tuple[str, Sequence[tuple[str, str]]]
"""A title, and what each key does with the key itself."""

_CONTROLS: Sequence[ShortcutGroup] = (
    (
        "Move and choose",
        (
            ("Go to the next or previous control", "Tab, Shift+Tab"),
            ("Organization", "Alt+U"),
            ("Dataset, range, period, time zone", "Alt+D, Alt+R, Alt+P, Alt+Z"),
            ("Comparison", "Alt+M"),
            ("Grouping, columns, filters", "Alt+G, Alt+A, Alt+L"),
            ("Saved views, save this view, edit them", "Alt+V, Ctrl+D, Ctrl+Shift+D"),
            ("First to ninth saved view", ", ".join(f"Ctrl+{number}" for number in range(1, 10))),
            ("Earlier or later range", "Alt+Shift+Left, Alt+Shift+Right"),
            ("Back to the last view, forward again", "Alt+Left, Alt+Right, or the mouse's side buttons"),
            ("Search", "Ctrl+F"),
            ("Menu", "Alt+O"),
        ),
    ),
    (
        "Table",
        (
            ("Sort by a column", "Click its header"),
            ("Sort by a further column", "Ctrl+click its header"),
            ("Sort by the current column", "Ctrl+Shift+S"),
            ("Menu of a cell or a header", "Menu key or Shift+F10"),
            ("Drill down into the row: its people, keys, models, days, hours", "Enter or double-click"),
            ("Filter to the current cell", "Ctrl+Enter"),
            ("Records behind the current cell", "Shift+Enter"),
            ("Select all rows", "Ctrl+A"),
            ("Clear the selection", "Esc"),
        ),
    ),
    (
        "Chart",
        (
            ("Charted figure, heat map", "Alt+F, Alt+H"),
            ("Earlier or later bar", "Left, Right"),
            ("Part of a bar", "Up, Down"),
            ("A month back or on", "Page Up, Page Down"),
            ("Choose a range", "Shift+Left, Shift+Right, then Enter; or drag"),
            ("Filter to a part, or add it to the filter", "Enter or click, Ctrl+Enter or Ctrl+click"),
            ("Show a period alone", "Enter on a whole bar, or double-click"),
            ("Select the rows of a part", "Space or Alt+click"),
            ("Take back what was done in the chart", "Esc"),
        ),
    ),
    (
        "Grouping and filters",
        (
            ("Move a grouping chip", "Ctrl+Left, Ctrl+Right"),
            ("Remove a chip", "Delete"),
        ),
    ),
)
_TOP_LEVEL = "Copy, save and quit"
"""Title of the commands that are in no menu below the first one."""


def shortcut_groups(menu: QMenu) -> list[ShortcutGroup]:
    """Return the keys of the controls, then those of the commands by the part of `menu` that they are in."""
    listed: dict[str, list[tuple[str, str]]] = {}
    for title, action in _commands(menu, ""):
        if action.shortcuts():
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            listed.setdefault(title or _TOP_LEVEL, []).append((shown_menu_text(action.text()), keys))
    return [*_CONTROLS, *listed.items()]


def _commands(menu: QMenu, title: str) -> Iterator[tuple[str, QAction]]:
    """Yield each command with the title of the first menu on the way to it."""
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            yield from _commands(below, title or shown_menu_text(action.text()))
        elif not action.isSeparator():
            yield title, action
