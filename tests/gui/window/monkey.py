"""Acts on a window at random: mouse, keyboard, server faults and passing time."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QWidget,
)
from shiboken6 import isValid

from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.demo.server.faults import Fault
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD, Filter, SortKey

STUCK: Final = 0.15
"""Seconds after which an action must be in the event loop of a menu or a dialog."""

FAULTS: Final = (
    Fault(status=500, headers={"retry-after-ms": "5"}),
    Fault(status=429, headers={"retry-after-ms": "20"}),
    Fault(status=429, headers={"retry-after": "100000"}),
    Fault(status=401),
    Fault(status=404),
    Fault(drop=True),
    Fault(truncate=100),
    Fault(body=b"no JSON"),
    Fault(stall=0.2),
    Fault(stall_body=0.2),
)
KEYS: Final = [
    *(Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Space),
    *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End),
    *(Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_F5),
    *(Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_F, Qt.Key.Key_G, Qt.Key.Key_1, Qt.Key.Key_Menu),
]
MODIFIERS: Final = (
    *[Qt.KeyboardModifier.NoModifier] * 4,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
TEXTS: Final = ("gpt", "2026-10-01 – 2026-10-07", "yesterday", "Europe/Berlin", "<b>x</b>", "\u202e", "%", "")
ZONES: Final = ("UTC", "local", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia")
PRESETS: Final = (Preset.TODAY, Preset.LAST_7_DAYS, Preset.LAST_30_DAYS, Preset.LAST_90_DAYS)


class Monkey:
    """Lists its actions in `done`; an equal `seed` chooses equal actions on an equal screen."""

    def __init__(self, rig: WindowRig, window: WindowUnderTest, seed: int, folder: Path) -> None:
        self.rig, self.window, self.folder = rig, window, folder
        self.chance = random.Random(seed)
        self.done: list[str] = []
        self._began = time.monotonic()
        self._acts: dict[Callable[[], str], int] = {
            self._click: 30,
            self._press: 25,
            self._type: 6,
            self._open_choice: 6,
            self._show_view: 12,
            self._command: 10,
            self._server: 8,
            self._resize: 2,
            self._pass_time: 2,
            self._scroll: 3,
        }
        window.commands.quit.setEnabled(False)  # also keys in a menu would choose it

    def act(self) -> None:
        (act,) = self.chance.choices([*self._acts], [*self._acts.values()])
        self._began = time.monotonic()
        self.done.append(act())
        QTest.qWait(self.chance.choice([0, 0, 0, 1, 5, 30]))

    @property
    def _root(self) -> QWidget:
        """Returns the window or popup that gets the input."""
        return opened() or self.window

    @property
    def _focus(self) -> QWidget:
        within: QWidget | None = self._root.focusWidget()
        anywhere: QWidget | None = QApplication.focusWidget()
        candidates = [one for one in (within, anywhere) if one is not None and isValid(one)]
        return candidates[0] if candidates else self._root

    def _click(self) -> str:
        root = self._root
        if isinstance(root, QMenu):
            return self._pick_from(root)
        widgets = [
            widget
            for widget in root.findChildren(QWidget)
            if widget.isVisible()
            and widget.isEnabled()
            and isinstance(widget, QAbstractButton | QLineEdit | QAbstractItemView)
        ]
        if not widgets:
            root.close()
            return f"close {type(root).__name__}"
        widget: QWidget = self.chance.choice(widgets)
        description = f"click {type(widget).__name__} {widget.accessibleName()!r}"
        if isinstance(widget, QAbstractItemView):
            widget = widget.viewport()
        place = QPoint(*(self.chance.randrange(max(1, size)) for size in widget.size().toTuple()))
        button = self.chance.choice([*[Qt.MouseButton.LeftButton] * 5, Qt.MouseButton.RightButton])
        click = QTest.mouseDClick if self.chance.random() < 0.1 else QTest.mouseClick
        click(widget, button, self.chance.choice(MODIFIERS), place)
        return description

    def _press(self) -> str:
        key, modifier = self.chance.choice(KEYS), self.chance.choice(MODIFIERS)
        QTest.keyClick(self._focus, key, modifier)
        return f"press {modifier.name} {key.name}"

    def _type(self) -> str:
        widget, text = self._focus, self.chance.choice(TEXTS)
        if isinstance(widget, QLineEdit):
            widget.selectAll()
            widget.insert(text)  # a simulated keyboard types only ASCII
        return f"type {text!r}"

    def _open_choice(self) -> str:
        page = self.window.page
        choice: Any = self.chance.choice([page.dataset, page.range, page.per, page.zone])
        if choice.isVisible() and opened() is None:
            QTest.mouseClick(choice, Qt.MouseButton.LeftButton)
        return f"open {choice.accessibleName()!r}"

    def _pick_from(self, menu: QMenu) -> str:
        entries = [one for one in menu.actions() if one.isEnabled() and one.isVisible() and self._allowed(one)]
        if not entries or self.chance.random() < 0.2:
            QTest.keyClick(menu, Qt.Key.Key_Escape)
            return "leave a menu"
        chosen = self.chance.choice(entries)
        description, place = f"pick {chosen.text()!r}", menu.actionGeometry(chosen).center()
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        return description

    def _allowed(self, action: QAction) -> bool:
        return action is not self.window.commands.quit

    def _show_view(self) -> str:
        view = self._random_view()
        self.window.workspace.show_view(view)
        return f"show {view}"

    def _random_view(self) -> ViewState:
        chance, before = self.chance, self.window.workspace.view
        data = DATASETS[chance.choice([*["completions"] * 3, *DATASETS])]
        view = ViewState(
            dataset_name=data.name,
            range=DateRange(chance.choice(PRESETS)),
            per=chance.choice(
                [
                    Granularity.TOTAL,
                    Granularity.DAY,
                    Granularity.DAY,
                    Granularity.WEEK,
                    Granularity.MONTH,
                    Granularity.HOUR,
                ]
            ),
            grouping=tuple(chance.sample(data.group_by, chance.randrange(len(data.group_by) + 1))),
            zone=chance.choice(["UTC", "UTC", *ZONES]),
        )
        if chance.random() < 0.4:
            name = chance.choice(data.group_by)
            values = self.window.workspace.values(name) if before.dataset_name == data.name else ()
            some = frozenset(chance.sample(sorted(values, key=str), min(2, len(values))))
            view = replace(view, filters=(Filter(name, some, chance.random() < 0.5),))
        if chance.random() < 0.3:
            by = chance.choice([*data.group_by, *([] if view.per is Granularity.TOTAL else [PERIOD])])
            figure = chance.choice([column.name for column in data.columns])
            view = view.with_pivot(Pivot(by, figure, shaded=chance.random() < 0.5))
        if chance.random() < 0.4:
            view = view.with_order((SortKey(chance.choice(view.keys), chance.random() < 0.5),))
        return view

    def _command(self) -> str:
        chosen = self.chance.choice([one for one in self.window.commands.all if self._allowed(one)])
        if not chosen.isEnabled():
            return "a disabled command"
        chosen.trigger()
        return f"command {chosen.text()!r}"

    def _server(self) -> str:
        server = self.rig.server
        fault, share = self.chance.choice(FAULTS), self.chance.random()
        if share < 0.5:
            server.faults = None
            server.latency = self.chance.choice([0.0, 0.0, 0.02])
            return "server well"
        server.faults = lambda request: fault if self.chance.random() < share else None
        return f"server {fault}"

    def _resize(self) -> str:
        self.window.resize(self.chance.randrange(300, 1600), self.chance.randrange(200, 1000))
        return "resize"

    def _pass_time(self) -> str:
        self.rig.clock.ahead += self.chance.choice([60.0, 400.0])
        QApplication.sendEvent(self.window, QEvent(QEvent.Type.ActivationChange))
        return "time passes"

    def _scroll(self) -> str:
        bar = self.window.page.table.verticalScrollBar()
        bar.setValue(self.chance.randrange(bar.maximum() + 1))
        return "scroll"

    @contextmanager
    def dialogs_answered(self) -> Iterator[None]:
        """Answer dialogs and menus that run their own event loop."""
        ended = False

        def tick() -> None:
            if not ended:
                QTimer.singleShot(20, tick)  # first, since an answer may open the next dialog
                self._answer()

        tick()
        yield
        ended = True

    def _answer(self) -> None:
        dialog, popup = QApplication.activeModalWidget(), QApplication.activePopupWidget()
        if popup is not None and isinstance(dialog, QFileDialog):
            popup.close()  # a menu that stayed open behind the dialog that it opened
        elif popup is not None:
            if time.monotonic() - self._began < STUCK:
                return
            self._began = time.monotonic()
            if isinstance(popup, QMenu):
                self.done.append(self._pick_from(popup))
            else:
                popup.close()
        elif isinstance(dialog, QPrintDialog):
            dialog.reject()  # nothing is printed
        elif isinstance(dialog, QMessageBox):  # the file dialog's question about an existing file
            self.chance.choice(dialog.buttons()).click()
        elif isinstance(dialog, QFileDialog):
            if dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave and self.chance.random() < 0.5:
                dialog.selectFile(str(self.folder / f"saved-{self.chance.randrange(10**9)}"))
                dialog.accept()
            else:
                dialog.reject()


def opened() -> QWidget | None:
    """Return the menu, popup or dialog that is open over the window."""
    popup: QWidget | None = QApplication.activePopupWidget()
    dialog: QWidget | None = QApplication.activeModalWidget()
    return popup or dialog
