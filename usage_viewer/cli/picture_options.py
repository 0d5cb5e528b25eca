"""Defines the options of a chart's picture, and converts them."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.domain.errors import InputError

if TYPE_CHECKING:
    from usage_viewer.app.chart import PictureOptions

FORMS, FACES, COLORS = ("png", "svg"), ("bars", "heat-map"), ("light", "dark")

SMALLEST, LARGEST = 200, 8000
"""Pixels of a side of a picture."""


def add_picture_options(chart: argparse.ArgumentParser, path: Callable[[str], Path]) -> None:
    """Add the options of the command `chart` that `table` doesn't have; `path` converts the name of a file."""
    chart.add_argument(
        "--output",
        type=path,
        metavar="FILE",
        required=True,
        help="write a picture (.png, twice the pixels) or a drawing (.svg) to this file, whole or not at all",
    )
    chart.add_argument(
        "--figure", default="", metavar="NAME", help="figure to draw (default: the first sorted one, or the first)"
    )
    chart.add_argument("--face", choices=FACES, default=FACES[0], metavar="FACE", help="bars (default) or heat-map")
    chart.add_argument(
        "--size",
        default="960x420",
        metavar="WxH",
        help=f"width and height in pixels, each from {SMALLEST} to {LARGEST} (default: 960x420)",
    )
    chart.add_argument(
        "--colors", choices=COLORS, default=COLORS[0], metavar="SCHEME", help="light (default) or dark"
    )
    chart.set_defaults(format="tsv")  # of the table that is looked up; it is not printed


def picture_options(path: Path, size: str, colors: str) -> "PictureOptions":
    """Return how to draw a picture into a file; the ending of its name is the format. Raises InputError."""
    from usage_viewer.app.chart import PictureOptions

    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise InputError(
            str(path),
            title="The picture's format is unknown",
            hint="End the name in .png (picture) or .svg (drawing).",
        )
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
        raise InputError(
            size,
            title="The picture's size is invalid",
            hint=f"Write it like 960x420, each from {SMALLEST} to {LARGEST}.",
        )
    return PictureOptions(form, width, height, colors == "dark")
