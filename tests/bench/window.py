"""Runs the real window offscreen over a stored database, and times clicks until the end of their repaint."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from data import NOW, HeldBuckets
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.verification.verifier import IDENTITIES
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.gui.workspace.app_context import AppContext, LaunchOptions

WAIT = 120.0
"""Seconds after which a wait fails."""


def view_of(
    held: HeldBuckets, per: Granularity, grouping: tuple[str, ...], *, order: tuple[SortKey, ...] = ()
) -> ViewState:
    """Return a view of everything stored, largest input first unless `order` is given."""
    order = order or (SortKey("input_tokens", descending=True),)
    return ViewState(range=held.range, per=per, grouping=grouping, order=order)


class BenchWindow(QObject):
    """Context manager of a window on `held`, loaded and painted."""

    def __init__(self, held: HeldBuckets) -> None:
        super().__init__()
        self._application = QApplication.instance() or QApplication([])
        profile = Profile(
            "bench",
            base_url="https://127.0.0.1:9",
            database=held.place.database,
            keystore=_nothing,
            clock=lambda: float(NOW),
        )
        self.window = MainWindow()
        # A screenshot's window leaves the settings alone.
        options = LaunchOptions(screenshot=Path("never"))
        self.window.load(AppContext(profile, held.place, _nothing, _nothing, _nothing, options=options))
        self.window.resize(1280, 800)
        self.workspace = self.window.parts.workspace
        self.table = self.window.parts.page.table
        self.table.viewport().installEventFilter(self)
        self.painted: ViewState | None = None
        self._beat = QTimer(self, interval=1000)  # so that an endless wait ends
        self._beat.start()
        begun = time.perf_counter()
        self.window.show()
        self.workspace.open(profile, view_of(held, Granularity.DAY, ("model",)))
        self.until(lambda: self.painted == self.workspace.view)
        self.opened = (time.perf_counter() - begun) * 1000
        self.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._application.processEvents()
        QApplication.clipboard().clear()
        self.window.close()
        self.window.finish()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.painted = self.table.view
        return False

    def until(self, holds: Callable[[], bool]) -> None:
        """Run the event loop until the condition holds."""
        flags = QEventLoop.ProcessEventsFlag
        begun = time.perf_counter()
        while not holds():
            self._application.processEvents(flags.AllEvents | flags.WaitForMoreEvents)
            assert time.perf_counter() - begun < WAIT, "the window did not come to it"

    def settle(self) -> None:
        """Wait for delayed work (statistics, checks of the table), so that it isn't measured later."""
        end = time.perf_counter() + 0.06
        while time.perf_counter() < end or self.window.parts.tasks.busy(IDENTITIES):
            self._application.processEvents()
            time.sleep(0.002)

    def show(self, view: ViewState) -> float:
        """Return the milliseconds from the request of `view` to the end of its repaint."""
        self.painted = None
        begun = time.perf_counter()
        self.workspace.show_view(view)
        self.until(lambda: self.painted == view)
        taken = (time.perf_counter() - begun) * 1000
        self.settle()
        return taken

    @contextmanager
    def watched(self) -> Iterator[list[float]]:
        """Record the gaps in milliseconds between turns of the event loop, which must run inside the block."""
        gaps: list[float] = []
        last = time.perf_counter()

        def turn() -> None:
            nonlocal last
            now = time.perf_counter()
            gaps.append((now - last) * 1000)
            last = now

        timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(turn)
        timer.start()
        yield gaps
        timer.stop()
        turn()


def _nothing(*given: object) -> NoReturn:
    raise AssertionError("nothing is fetched here")
