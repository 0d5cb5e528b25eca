"""Checks what another program pastes: `xclip` reads each format from a running program of ours."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytestmark = pytest.mark.display

ROOT = Path(__file__).parents[2]
PROVENANCE = "# Usage Viewer · Completions · 2026-11-03 UTC · per day"
HEADERS = ["Model", "Count", "Money"]
ROWS = [
    ["gpt-6-astra", "1152921504606846976", "0.10"],
    ["'=1+1", "1152921504606846977", "1.10"],
    ['größe "L"\t<b>', "1152921504606846978", "2.10"],
    ["two\nlines", "1152921504606846979", "3.10"],
]


@contextmanager
def copied(display: str, rows: int) -> Iterator[str]:
    """Start a program that has copied `rows` rows; yield its note."""
    environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("copying.py")), str(rows)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            word, _, note = program.stdout.readline().strip().partition(" ")
            assert word == "copied"
            yield note
            program.stdin.close()
            assert program.wait(10) == 0
        finally:
            program.kill()


def pasted(display: str, target: str) -> str:
    done = subprocess.run(
        ["xclip", "-display", display, "-selection", "clipboard", "-t", target, "-o"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return done.stdout.decode()


class TableReader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.exact: list[str | None] = []
        self._open = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th"):
            self._open = True
            self.lines[-1].append("")
            self.exact += [value for name, value in attrs if name == "sdval"]
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.lines[-1][-1] += data


def test_each_format_is_pasted_unchanged(xvfb_display: str) -> None:
    with copied(xvfb_display, 4) as note:
        assert note == ""
        targets = pasted(xvfb_display, "TARGETS").split()
        assert {"text/plain", "UTF8_STRING", "text/html", "text/csv", "text/tab-separated-values"} <= set(targets)
        for target in ("UTF8_STRING", "text/plain", "text/tab-separated-values"):
            lines = list(csv.reader(io.StringIO(pasted(xvfb_display, target), newline=""), "excel-tab"))
            assert lines == [[PROVENANCE], HEADERS, *ROWS]
        lines = list(csv.reader(io.StringIO(pasted(xvfb_display, "text/csv"), newline="")))
        assert lines == [[PROVENANCE], HEADERS, *ROWS]
        document = pasted(xvfb_display, "text/html")
        assert document.startswith("<!DOCTYPE html>")
        table = TableReader(document)
        # A cell's format states that it is text: there is no apostrophe, and no line break.
        names = [" ".join(row[0].removeprefix("'").splitlines()) for row in ROWS]
        assert table.lines == [HEADERS, *([name, *row[1:]] for name, row in zip(names, ROWS, strict=True))]
        assert table.exact == [number for row in ROWS for number in row[1:]]


def test_many_rows_are_pasted_as_plain_text_only(xvfb_display: str) -> None:
    rows = 300_000
    with copied(xvfb_display, rows) as note:
        assert "plain text" in note
        targets = pasted(xvfb_display, "TARGETS").split()
        assert "text/html" not in targets
        text = pasted(xvfb_display, "UTF8_STRING")
        assert len(text) > 10_000_000
        assert text.endswith(f"\t{2**60 + rows - 1}\t{rows - 1}.10\n")
        assert sum(1 for _ in csv.reader(io.StringIO(text, newline=""), "excel-tab")) == rows + 2
