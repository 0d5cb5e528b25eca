"""Draws the program's icon as a file for Windows (.ico) or as the pictures that macOS makes an .icns from."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication, QIcon, QImage

DRAWING = Path(__file__).resolve().parents[2] / "resources" / "icons" / "usage-viewer.svg"
SIZES = (16, 32, 48, 64, 128, 256)
"""Pixels of the pictures in a file for Windows."""


def main(arguments: list[str]) -> int:
    """Write the file or the directory (.iconset) that is named; return the exit status."""
    application = QGuiApplication([])
    target = Path(arguments[0])
    if target.suffix == ".iconset":
        target.mkdir(parents=True, exist_ok=True)
        for size in (16, 32, 128, 256, 512):
            (target / f"icon_{size}x{size}.png").write_bytes(draw(size))
            (target / f"icon_{size}x{size}@2x.png").write_bytes(draw(2 * size))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(windows_icon([(size, draw(size)) for size in SIZES]))
    del application
    return 0


def draw(size: int) -> bytes:
    """Return the drawing as PNG with `size` pixels on each side."""
    image: QImage = QIcon(str(DRAWING)).pixmap(size, size, QIcon.Mode.Normal).toImage()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub lacks a format as text
    return bytes(data.data())


def windows_icon(pictures: list[tuple[int, bytes]]) -> bytes:
    """Return an icon file of PNG pictures with their sizes in pixels; 256 is written as 0 there."""
    offset = 6 + 16 * len(pictures)
    directory = struct.pack("<HHH", 0, 1, len(pictures))
    for size, picture in pictures:
        directory += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), offset)
        offset += len(picture)
    return directory + b"".join(picture for _, picture in pictures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
