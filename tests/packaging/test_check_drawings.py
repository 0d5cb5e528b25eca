"""The check of the drawings accepts the program's drawings and finds each kind of problem."""

from pathlib import Path

import pytest

import check_drawings

ACTIONS = [
    "chevron-left",
    "chevron-right",
    "close",
    "copy",
    "more",
    "refresh",
    "search",
    "unverified",
    "verified",
    "warning",
]
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"'


def test_program_drawings_pass(root: Path) -> None:
    assert check_drawings.main([str(root / "resources")]) == 0


@pytest.mark.parametrize("name", ACTIONS)
def test_action_icons_have_one_colour(root: Path, name: str) -> None:
    text = (root / "resources" / "icons" / "actions" / f"{name}.svg").read_text(encoding="utf-8")
    colours = {part.split('"')[0] for attribute in ('fill="', 'stroke="') for part in text.split(attribute)[1:]}
    assert colours <= {"none", "#000"}
    assert "#000" in colours


@pytest.mark.parametrize(
    ("drawing", "word"),
    [
        ("<svg", "well-formed"),
        ("<html/>", "not an SVG"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "viewBox"),
        (HEAD + "><script/></svg>", "uses script"),
        (HEAD + '><path onclick="x"/></svg>', "external resource"),
        (HEAD.replace("16 16", "24 24") + "/>", "16-pixel grid"),
    ],
)
def test_bad_drawing_is_reported(tmp_path: Path, drawing: str, word: str) -> None:
    path = tmp_path / "actions" / "bad.svg"
    path.parent.mkdir()
    path.write_text(drawing, encoding="utf-8")
    assert any(word in problem for problem in check_drawings.find_problems(path))
    assert check_drawings.main([str(tmp_path)]) == 1


def test_directory_without_drawings_fails(tmp_path: Path) -> None:
    assert check_drawings.main([str(tmp_path)]) == 1
