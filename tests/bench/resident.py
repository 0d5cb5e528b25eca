"""Prints the memory of a process in bytes, as JSON.

`window FOLDER` is a window that shows a stored year by day; `window FOLDER SERVER KEY` first loads one by hour.

`engine FILE` prints that of DuckDB alone, after it has summed every row of the file.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).absolute().parent
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
REST = 10.0
"""Seconds after which a window is at rest, if it has also ended its verification."""
MOST = 200.0
"""Seconds after which a wait fails."""


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def peak() -> int:
    """Return the largest resident memory so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def window(folder: str, server: str = "", key: str = "") -> None:
    from usage_viewer.app.process_memory import use_one_arena

    use_one_arena()
    from data import DATASET, DAY, DAYS, DIMENSIONS, LAST, NOW
    from PySide6.QtCore import QEventLoop, QTimer
    from PySide6.QtWidgets import QApplication

    from usage_viewer.app.profile.paths import ProfilePaths
    from usage_viewer.app.profile.profile import Profile
    from usage_viewer.domain.admin_key import AdminKey
    from usage_viewer.domain.date_range import DateRange
    from usage_viewer.domain.period import Granularity
    from usage_viewer.domain.view import ViewState
    from usage_viewer.gui.startup.collection_pause import RESUME_AFTER_MS, pause_collection, resume_collection
    from usage_viewer.gui.window.main_window import MainWindow
    from usage_viewer.gui.workspace.app_context import AppContext, LaunchOptions
    from usage_viewer.keystore import MemoryKeystore

    def nothing(*_: object) -> NoReturn:
        raise NotImplementedError("the measured window has nothing else")

    pause_collection()
    application = QApplication([])
    QTimer.singleShot(RESUME_AFTER_MS, application, resume_collection)
    place = ProfilePaths(Path(folder))
    keystore = MemoryKeystore(AdminKey.parse(key)) if key else MemoryKeystore()
    profile = Profile(
        "default",
        base_url=server or "https://127.0.0.1:9",
        database=place.database,
        keystore=lambda: keystore,
        clock=lambda: float(NOW),
    )
    main = MainWindow()
    main.load(
        AppContext(profile, place, nothing, nothing, nothing, options=LaunchOptions(screenshot=Path("never")))
    )
    main.resize(1280, 800)
    main.show()
    parts = main.parts
    flags = QEventLoop.ProcessEventsFlag.AllEvents

    def until(holds: Callable[[], bool]) -> None:
        begun = time.monotonic()
        while not holds():
            application.processEvents(flags, 20)
            time.sleep(0.005)
            assert time.monotonic() - begun < MOST, "the window did not come to it"

    bounds = (
        datetime.fromtimestamp(moment, UTC).replace(tzinfo=None) for moment in (LAST + DAY - DAYS * DAY, LAST + DAY)
    )
    by_hour, by_day = (Granularity.HOUR, DIMENSIONS), (Granularity.DAY, ("model",))
    view = ViewState(DATASET, DateRange(None, *bounds), *(by_hour if server else by_day))
    parts.source.open_own()
    parts.workspace.show_view(view)

    def is_shown() -> bool:
        last = parts.workspace.last
        return last is not None and last.look.view == view and last.look.coverage.complete

    until(lambda: is_shown() and not parts.workspace.fetching)
    shown = parts.workspace.last
    assert shown is not None
    begun = time.monotonic()
    until(lambda: time.monotonic() - begun > REST and not (parts.tasks.busy_count or parts.memory.pause.isActive()))
    print(json.dumps({"rows": shown.table.rows, "rest": resident(), "peak": peak()}), flush=True)
    os._exit(0)


def engine(file: str) -> None:
    import duckdb
    from data import DATASET, METRICS

    connection = duckdb.connect(file, read_only=True)
    sums = ", ".join(f"sum({name})" for name in METRICS)
    connection.execute(f"SELECT bucket, combination, {sums} FROM usage_{DATASET}_1h GROUP BY ALL").fetchnumpy()
    print(json.dumps({"rest": resident(), "peak": peak()}), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.path[:0] = [str(HERE), str(HERE.parent.parent)]
    kind, *words = sys.argv[1:]
    engine(*words) if kind == "engine" else window(*words)
