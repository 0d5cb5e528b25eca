"""A process that shows the bare window on a screen of a certain size and prints its geometry as JSON.

Arguments: the saved geometry in base64 or "", and optionally x, y, width and height to move the window to first.
"""

import json
import sys

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QApplication

from usage_viewer.app.settings.startup_table import StartupTable
from usage_viewer.gui.window.main_window import MainWindow


def main(saved: str, *place: str) -> None:
    """Show, move and print."""
    application = QApplication([])
    window = MainWindow(_startup_table(saved) if saved else None)
    window.show()
    if place:
        window.setGeometry(*map(int, place))
    application.processEvents()
    screen = window.screen().availableGeometry()
    frame = window.frameGeometry()
    geometry: QByteArray = window.saveGeometry()
    print(
        json.dumps(
            {
                "screen": [screen.width(), screen.height()],
                "frame": [frame.left(), frame.top(), frame.right() + 1, frame.bottom() + 1],
                "saved": geometry.toBase64().toStdString(),
            }
        )
    )


def _startup_table(geometry: str) -> StartupTable:
    return StartupTable(
        valid_from=0,
        valid_until=1,
        title="Usage Viewer",
        heading="Costs",
        status="30 of 30 days",
        geometry=geometry,
        scheme="system",
        heading_height=40,
        header_height=30,
        row_height=24,
        labels=["Line item", "Amount (USD)"],
        right_aligned=[False, True],
        widths=[200, 100],
        totals=["Total of 1 group", "1.00"],
        rows=[["gpt-5", "1.00"]],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
