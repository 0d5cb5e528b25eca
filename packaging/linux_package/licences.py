"""Writes the licence texts of all parts, a list of them, and the notice that the LGPL asks for."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from linux_package.parts import LICENCE_TEXTS, Part

NOTICE = Path(__file__).with_name("LGPL-NOTICE.txt")
_HEAD = """Usage Viewer is made of these parts. Each has its licence texts in the folder with its name.
Qt, PySide6 and Shiboken are under the LGPL: LGPL-NOTICE.txt says how to replace them.
"""


def write_licences(parts: Mapping[str, Part], target: Path) -> None:
    """Write the texts of each part to a folder of its own in `target`, with the list and the notice beside them."""
    target.mkdir(parents=True)
    for key, part in parts.items():
        for text in part.texts:
            copy = target / key / _place_of(text)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(text, copy)
    for name in ("LGPL-3.0.txt", "GPL-3.0.txt"):
        shutil.copyfile(LICENCE_TEXTS / name, target / name)
    (target / "LGPL-NOTICE.txt").write_text(lgpl_notice(parts), encoding="utf-8")
    (target / "PARTS.txt").write_text(list_parts(parts), encoding="utf-8")


def list_parts(parts: Mapping[str, Part]) -> str:
    """Return a table of all parts with version, licence and folder."""
    rows = [(part.name, part.version or "-", part.licence, f"{key}/") for key, part in parts.items()]
    rows = [("PART", "VERSION", "LICENCE", "TEXTS"), *sorted(rows, key=lambda row: row[0].lower())]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([_HEAD, *lines, ""])


def lgpl_notice(parts: Mapping[str, Part]) -> str:
    """Return the notice with the versions of this program's parts."""
    return NOTICE.read_text(encoding="utf-8").format(
        qt=parts["qt"].version,
        pyside=parts["pyside6-essentials"].version,
        shiboken=parts["shiboken6"].version,
        python=".".join(parts["python"].version.split(".")[:2]),
    )


def _place_of(text: Path) -> Path:
    """Return the path of a text below its package's `licenses` directory; elsewhere, its name."""
    parts = text.parts
    if "licenses" in parts and any(part.endswith(".dist-info") for part in parts):
        return Path(*parts[parts.index("licenses", _metadata_index(parts)) + 1 :])
    if "sboms" in parts:
        return Path(text.name)
    return Path(text.name if text.suffix else f"{text.name}.txt")


def _metadata_index(parts: tuple[str, ...]) -> int:
    return next(index for index, part in enumerate(parts) if part.endswith(".dist-info"))
