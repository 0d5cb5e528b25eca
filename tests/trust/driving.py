"""Starts the program and obeys commands, one a line of standard input; answers each with a line of JSON."""

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QCoreApplication, QMimeData, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

import usage_viewer.store  # noqa: F401 (DuckDB is loaded before the start: closing is timed without its import)
from usage_viewer.__main__ import main
from usage_viewer.app.export import Format
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.names import Names
from usage_viewer.gui.clipboard.copy_controller import Chosen
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.gui.window.window_parts import WindowParts
from usage_viewer.gui.workspace.result_loader import SortedResult
from usage_viewer.gui.workspace.tasks import Task

SPOKEN = (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value, QAccessible.Text.Help)
ENDLESS = "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b"
MANY = 3_000_000
"""Rows whose text takes some seconds to make."""


def _shell() -> MainWindow:
    return next(one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow))


def _window() -> WindowParts:
    return _shell().parts


def _close(_: str) -> object:
    return _shell().close()


def _shown(_: str) -> object:
    """Return the text of the status bar when everything requested is shown; "" before."""
    window = _window()
    busy = window.workspace.fetching or any(map(window.tasks.busy, ("look", "names", "copy", "export")))
    return "" if busy or not window.page.model.rowCount() else window.page.status.text


def _idle(_: str) -> object:
    window = _window()
    return not window.workspace.fetching and not any(map(window.tasks.busy, ("look", "names")))


def _status(_: str) -> object:
    return _window().page.status.text


def _key_page(_: str) -> object:
    """Return the texts of the key page; "" while it is hidden or checks a key."""
    page = _window().key_page
    waiting = not page.isVisible() or "Checking" in page.problem_text
    return "" if waiting else f"{page.problem_text} {page.place_text}"


def _banner(_: str) -> object:
    banner = _window().page.banner
    return banner.accessibleName() if banner.isVisible() else ""


def _enter(key: str) -> object:
    """Types a key on the key page and presses Enter."""
    field = _window().key_page.findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.clear()
    QTest.keyClicks(field, key)
    QTest.keyClick(field, Qt.Key.Key_Return)
    return True


def _ask_for_key(_: str) -> object:
    _window().actions.replace_key.trigger()
    return True


def _texts(_: str) -> object:
    """Return every window title, tool tip and accessible text."""
    texts = [widget.windowTitle() for widget in QApplication.allWidgets()]
    for widget in QApplication.topLevelWidgets():
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface is not None:
            texts += _accessible(interface, 4000)
    texts += [widget.toolTip() for widget in QApplication.allWidgets()]
    return [text for text in texts if text]


def _accessible(interface: QAccessibleInterface, most: int) -> Iterator[str]:
    todo = [interface]
    while todo and most:
        one = todo.pop()
        most -= 1
        yield from (one.text(kind) for kind in SPOKEN)
        todo += filter(None, (one.child(at) for at in range(min(one.childCount(), 500))))


def _clipboard(_: str) -> object:
    data: QMimeData | None = QApplication.clipboard().mimeData()
    if data is None:
        return {}
    return {form: bytes(data.data(form).data()).decode("utf-8", "replace") for form in data.formats()}


def _clear_clipboard(_: str) -> object:
    """Clear the clipboard: with contents, the offscreen platform crashes at exit."""
    QApplication.clipboard().clear()
    return True


def _copy(_: str) -> object:
    _window().actions.provenance.setChecked(True)
    _window().actions.copy.trigger()
    return True


def _save_snapshot(path: str) -> object:
    window = _window()
    assert window.workspace.store_session is not None
    window.snapshots.save(window.workspace.store_session, window.workspace.view, "Mine", Path(path))
    return True


def _picture(path: str) -> object:
    return _shell().grab().save(path)


def _trigger(name: str) -> object:
    """Triggers an action of the menu by its attribute name."""
    getattr(_window().actions, name).trigger()
    return True


def _raise(key: str) -> object:
    """Raise an unexpected error with the key in its message and in local variables."""
    parsed = AdminKey.parse(key)

    def fail() -> None:
        raise RuntimeError(f"unexpected with {key} and {parsed}")

    QTimer.singleShot(0, fail)
    return True


def _raise_in_worker(key: str) -> object:
    """Raise an unexpected error with the key in a worker thread."""

    def fail(task: object) -> None:
        raise RuntimeError(f"in the worker with {key}")

    _window().tasks.start("look", fail, print, _window().errors.show)
    return True


def _crash(how: str) -> object:
    if how == "abort":
        os.abort()
    import ctypes

    return ctypes.string_at(0)


def _query(_: str) -> object:
    """Start an endless query in the task channel of the view."""
    window = _window()
    session = window.workspace.store_session
    assert session is not None
    database = session._store.database

    def work(task: Task) -> object:
        with database.cursor(task.cancellation) as cursor:
            return cursor.execute(ENDLESS).fetchall()

    window.tasks.start("look", work, print, print)
    return True


def _many() -> Chosen:
    """Return the shown rows, repeated to `MANY`."""
    last = _window().workspace.last
    assert last is not None
    rows = np.resize(last.rows, MANY)
    return Chosen(SortedResult(last.look, rows), [], Names())


def _save_many(path: str) -> object:
    _window().copying.save(_many(), Path(path), Format.CSV)
    return True


def _copy_many(_: str) -> object:
    _window().copying.copy(_many())
    return True


def _busy(channel: str) -> object:
    return _window().tasks.busy(channel)


def _look_at(days: str) -> object:
    """Show another range of which nothing is stored."""
    workspace = _window().workspace
    last = datetime.now(UTC).date() - timedelta(days=40)
    view = replace(workspace.view, range=DateRange.days(last - timedelta(days=int(days)), last))
    workspace.show_view(view)
    return True


def _threads(_: str) -> object:
    return sorted(thread.name for thread in threading.enumerate())


COMMANDS: dict[str, Callable[[str], Any]] = {
    name.removeprefix("_").replace("_", "-"): act
    for name, act in list(globals().items())
    if name.startswith("_") and callable(act) and getattr(act, "__module__", "") == "__main__"
}


def _obey(line: str) -> None:
    name, _, argument = line.partition(" ")
    try:
        answer = COMMANDS[name](argument)
    except Exception:  # noqa: BLE001 - the test that waits for an answer has to hear of it
        answer = f"it failed: {traceback.format_exc()}"
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def _listen() -> None:
    while not isinstance(QCoreApplication.instance(), QApplication):
        time.sleep(0.01)
    application = QCoreApplication.instance()
    assert application is not None
    for line in sys.stdin:
        QTimer.singleShot(0, application, partial(_obey, line.rstrip("\n")))


if __name__ == "__main__":
    threading.Thread(target=_listen, daemon=True).start()
    sys.exit(main())
