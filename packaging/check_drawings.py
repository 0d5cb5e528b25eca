"""Checks that every SVG under a directory is well-formed, self-contained, and on its pixel grid."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
# Elements that Qt's SVG Tiny renderer draws and that can't load or run anything.
ALLOWED = {
    f"{SVG}{name}"
    for name in (
        "svg", "title", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
        "linearGradient", "radialGradient", "stop",
    )
}  # fmt: skip


def find_problems(path: Path) -> list[str]:
    """Return a sentence for each problem of one drawing."""
    try:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 (our own files)
    except ElementTree.ParseError as error:
        return [f"{path} is not well-formed: {error}."]
    problems = []
    if root.tag != f"{SVG}svg":
        problems.append(f"{path} is not an SVG drawing.")
    if "viewBox" not in root.attrib:
        problems.append(f"{path} has no viewBox.")
    if path.parent.name == "actions" and root.get("viewBox") != "0 0 16 16":
        problems.append(f"{path} is not on the 16-pixel grid.")
    for element in root.iter():
        if element.tag not in ALLOWED:
            problems.append(f"{path} uses {element.tag.removeprefix(SVG)}.")
        if any(name.endswith("href") or name.startswith("on") for name in element.attrib):
            problems.append(f"{path} refers to an external resource or has a script.")
    return problems


def main(arguments: list[str]) -> int:
    """Check the drawings under the given directories; return the exit status."""
    drawings = sorted(path for directory in arguments for path in Path(directory).rglob("*.svg"))
    problems = [problem for path in drawings for problem in find_problems(path)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if not drawings:
        print("No drawing was found.", file=sys.stderr)
    if problems or not drawings:
        return 1
    print(f"{len(drawings)} drawings are well-formed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
