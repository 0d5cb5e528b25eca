"""Tests `usage-viewer chart`: the picture, the exit status, and that a table needs no Qt."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from usage_viewer.__main__ import main

RANGE = ["--from", "2026-10-01", "--to", "2026-10-08"]
PROBE = """
import sys
from usage_viewer.__main__ import main
status = main(["table", "--demo", "--from", "2026-10-01", "--to", "2026-10-03", "--output", sys.argv[1]])
print(status, [name for name in sys.modules if "PySide6" in name])
"""


def test_drawing_has_the_groups_and_the_source(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    status = main(
        ["chart", "--demo", *RANGE, "--group-by", "model", "--figure", "input_tokens", "--output", str(path)]
    )
    assert status == 0
    root = ElementTree.fromstring(path.read_bytes())
    title = next(root.iter("{http://www.w3.org/2000/svg}title"))
    assert title.text == "Completions: Input, tokens per day, UTC"
    texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert any(text is not None and text.startswith("gpt-") for text in texts)
    assert not list(tmp_path.glob(".*"))


def test_heat_map_loads_hours_and_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "chart.png"
    zone, output = ["--zone", "Europe/Berlin"], ["--output", str(path)]
    status = main(
        ["chart", "--demo", *RANGE, "--face", "heat-map", "--colors", "dark", "--size", "700x300", *zone, *output]
    )
    assert status == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--output", "a.gif"], "format is unknown"),
        (["--output", "a.png", "--size", "10x10"], "size is invalid"),
        (["--output", "a.png", "--size", "wide"], "size is invalid"),
        (["--output", "a.png", "--figure", "nonsense"], "no figure called nonsense"),
        (["--output", "a.png", "--dataset", "costs", "--face", "heat-map"], "can't be drawn"),
        ([], "--output"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_written(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["chart", "--demo", *RANGE, *arguments]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_gone_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chart", "--demo", *RANGE, "--output", str(tmp_path / "gone" / "a.svg")]) == 1
    assert "The folder is gone" in capsys.readouterr().err


def test_table_needs_no_qt(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path / "a.tsv")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0 []"
