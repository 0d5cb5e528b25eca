"""See that every SVG under a directory is well-formed, self-contained, and on its grid."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
# What Qt's SVG Tiny renderer draws, and nothing that could fetch or run anything.
ALLOWED = {
    f"{SVG}{name}"
    for name in (
        "svg", "title", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
        "linearGradient", "radialGradient", "stop",
    )
}  # fmt: skip


def faults(path: Path) -> list[str]:
    """What is wrong with one drawing, each in one sentence."""
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 (our own files)
    except ElementTree.ParseError as error:
        return [f"{path} is not well-formed: {error}."]
    found = []
    if root.tag != f"{SVG}svg":
        found.append(f"{path} is not an SVG drawing.")
    if "viewBox" not in root.attrib:
        found.append(f"{path} has no viewBox.")
    if path.parent.name == "actions" and root.get("viewBox") != "0 0 16 16":
        found.append(f"{path} is not on the grid of 16.")
    for element in root.iter():
        if element.tag not in ALLOWED:
            found.append(f"{path} uses {element.tag.removeprefix(SVG)}.")
        if any(name.endswith("href") or name.startswith("on") for name in element.attrib):
            found.append(f"{path} refers to something outside itself.")
    return found


def main(arguments: list[str]) -> int:
    drawings = sorted(path for place in arguments for path in Path(place).rglob("*.svg"))
    found = [fault for path in drawings for fault in faults(path)]
    for fault in found:
        print(fault, file=sys.stderr)
    if not drawings:
        print("No drawing was found.", file=sys.stderr)
    if found or not drawings:
        return 1
    print(f"{len(drawings)} drawings are well-formed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
