"""Runs the whole program on a real X server, from the first start to a paste in another program."""

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.display

ROOT = Path(__file__).parents[2]


def _pasted(display: str, target: str) -> str:
    done = subprocess.run(
        ["xclip", "-display", display, "-selection", "clipboard", "-t", target, "-o"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout.decode()


def test_first_start_to_paste_in_another_program(xvfb_display: str, tmp_path: Path) -> None:
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("OPENAI_ADMIN_KEY", "WAYLAND_DISPLAY")
    }
    environment = inherited | {
        "DISPLAY": xvfb_display,
        "QT_QPA_PLATFORM": "xcb",
        "PYTHONPATH": str(ROOT),
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
    }
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("first_start.py")), "--data-dir", str(tmp_path / "data")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            line = program.stdout.readline()
            match = re.fullmatch(r"Copied ([\d,.]+) rows\n", line)
            assert match, f"{line!r} {program.stderr.read() if not line else ''}"
            _check_flavours(xvfb_display, int(re.sub(r"\D", "", match[1])))
            program.stdin.close()
            assert program.wait(10) == 0
            assert program.stderr.read() == ""
        finally:
            program.kill()


def _check_flavours(display: str, rows: int) -> None:
    targets = _pasted(display, "TARGETS").split()
    assert {"text/plain", "UTF8_STRING", "text/html", "text/csv"} <= set(targets)
    plain = list(csv.reader(io.StringIO(_pasted(display, "text/plain"), newline=""), "excel-tab"))
    assert plain == list(csv.reader(io.StringIO(_pasted(display, "text/csv"), newline="")))
    assert plain[0][:4] == ["Model", "Project", "Requests", "Input"]
    assert len(plain) == rows + 1
    assert rows > 30
    assert all(int(line[3]) >= 0 for line in plain[1:])
    document = _pasted(display, "text/html")
    lines = re.findall(r"<tr>(.*?)</tr>", document, re.DOTALL)
    assert len(lines) == rows + 1
    for line, shown in zip(plain, lines, strict=True):
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", shown, re.DOTALL)
        assert len(cells) == len(line)
        assert cells[0] == line[0]  # names of models have no characters to escape
    exact = re.findall(r'sdval="(\d+)"', document)
    assert str(plain[1][3]) in exact
