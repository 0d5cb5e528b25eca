"""Draws the README's pictures: the cost of the sample organization by model, in light and dark."""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from usage_viewer.__main__ import open_demo
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Profile
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.widgets.theme import use_scheme
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.gui.workspace.app_context import AppContext, LaunchOptions
from usage_viewer.keystore import MemoryKeystore

FOLDER = Path(__file__).with_name("pictures")
SIZE = (1280, 760)
LAYOUT_MS = 500
"""Milliseconds after the window has settled in which it lays out and paints what it shows."""
VIEW = ViewState(
    columns=(
        "num_model_requests",
        "input_tokens",
        "output_tokens",
        "cost",
        "cost_per_million_tokens",
        "saved_by_cache",
    ),
    order=(SortKey("cost", descending=True),),
)


class Drawing:
    """Shows the view when the window has settled, and saves it in each colour scheme when that is shown."""

    def __init__(self, window: MainWindow) -> None:
        self._window, self._page = window, window.parts.page
        self._schemes = ["light", "dark"]
        self._connection = window.settled.connect(self._on_settled)
        self._is_asked_for = False

    def _on_settled(self, _problem: str) -> None:
        if not self._is_asked_for:
            self._is_asked_for = True
            self._window.parts.workspace.show_view(VIEW)
            return
        self._window.settled.disconnect(self._connection)
        self._draw_next()

    def _draw_next(self) -> None:
        if not self._schemes:
            QApplication.exit(0)
            return
        scheme = self._schemes.pop(0)
        use_scheme(scheme)
        QTimer.singleShot(LAYOUT_MS, partial(self._save, FOLDER / f"window-{scheme}.png"))

    def _save(self, path: Path) -> None:
        problem = "" if self._page.banner.error is None else self._page.banner.title
        if not problem and not self._window.grab().save(str(path), "PNG"):
            problem = "It can't be written."
        if problem:
            sys.stderr.write(f"{path}: {problem}\n")
            QApplication.exit(1)
            return
        self._draw_next()


def main() -> int:
    """Draw both pictures; return the exit status."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        paths = ProfilePaths(Path(folder))
        own = Profile("default", base_url="http://127.0.0.1:1/v1", database=None, keystore=MemoryKeystore)
        window = MainWindow()
        window.load(
            AppContext(
                profile=own,
                paths=paths,
                make_profile=lambda organization: own,
                open_demo=open_demo,
                forget_keys=lambda id: None,
                erase_all=None,
                options=LaunchOptions(demo=True),
            )
        )
        window.resize(*SIZE)
        window.show()
        drawing = Drawing(window)
        window.start()
        status = application.exec()
        window.close()
        window.finish()
        del drawing
    return status


if __name__ == "__main__":
    sys.exit(main())
