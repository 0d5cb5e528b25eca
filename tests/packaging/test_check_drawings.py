"""The check of the drawings passes ours and finds what it is there for."""

from pathlib import Path

import pytest

import check_drawings

ACTIONS = [
    "chevron-left",
    "chevron-right",
    "close",
    "copy",
    "more",
    "proven",
    "refresh",
    "search",
    "unproven",
    "warning",
]
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"'


def test_our_drawings_pass(root: Path) -> None:
    assert check_drawings.main([str(root / "resources")]) == 0


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_icon_is_one_colour_for_the_window_to_recolour(root: Path, name: str) -> None:
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
        (HEAD + '><path onclick="x"/></svg>', "outside itself"),
        (HEAD.replace("16 16", "24 24") + "/>", "grid of 16"),
    ],
)
def test_a_bad_drawing_is_found(tmp_path: Path, drawing: str, word: str) -> None:
    path = tmp_path / "actions" / "bad.svg"
    path.parent.mkdir()
    path.write_text(drawing, encoding="utf-8")
    assert any(word in fault for fault in check_drawings.faults(path))
    assert check_drawings.main([str(tmp_path)]) == 1


def test_no_drawing_at_all_is_a_fault(tmp_path: Path) -> None:
    assert check_drawings.main([str(tmp_path)]) == 1
