"""Tests that the window fits the screen at its first start and after a change of screens."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("window_geometry.py")


def _show(folder: Path, size: tuple[int, int], scale: str = "1", saved: str = "", *place: int) -> dict[str, Any]:
    """Show the window on a screen of `size` device pixels at a scale; return what the script prints."""
    screen = {"name": "one", "x": 0, "y": 0, "width": size[0], "height": size[1], "logicalDpi": 96, "dpr": 1.0}
    config = folder / "screens.json"
    config.write_text(json.dumps({"screens": [screen]}))
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": f"offscreen:configfile={config}",
        "QT_SCALE_FACTOR": scale,
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), saved, *map(str, place)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    shown: dict[str, Any] = json.loads(done.stdout)
    assert shown["screen"] == [round(side / float(scale)) for side in size]
    return shown


def _fits(shown: dict[str, Any]) -> bool:
    left, top, right, bottom = shown["frame"]
    width, height = shown["screen"]
    return bool(left >= 0 and top >= 0 and right <= width and bottom <= height)


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((1366, 768), "1"),
        ((800, 600), "1"),
        ((1600, 1000), "2"),
        ((1600, 1000), "1.5"),
        ((3440, 1440), "1"),
        ((1366, 768), "3"),
    ],
)
def test_first_window_fits_the_screen(tmp_path: Path, size: tuple[int, int], scale: str) -> None:
    shown = _show(tmp_path, size, scale)
    left, top, right, bottom = shown["frame"]
    assert right - left <= shown["screen"][0]
    assert bottom - top <= shown["screen"][1] - 40  # room for the title bar
    if size == (3440, 1440):
        assert (right - left, bottom - top) == (1204, 740)  # with the frame of the offscreen platform


@pytest.mark.parametrize(
    "place", [(2400, 900, 1000, 500), (100, 100, 3300, 1300), (2850, 30, 560, 420), (40, 40, 800, 600)]
)
def test_restored_window_is_within_the_screen_of_today(tmp_path: Path, place: tuple[int, int, int, int]) -> None:
    before = _show(tmp_path, (3440, 1440), "1", "", *place)
    assert _fits(before)
    assert _fits(_show(tmp_path, (1366, 768), "1", before["saved"]))
    assert _fits(_show(tmp_path, (1600, 1000), "2", before["saved"]))
    same = _show(tmp_path, (3440, 1440), "1", before["saved"])
    assert same["frame"] == before["frame"]
