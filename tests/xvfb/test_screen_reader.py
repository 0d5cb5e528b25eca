"""Reads the whole program as a screen reader does, while real keys are pressed on a real X server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.display import x_server
from tests.rigs.keyboard import Keyboard, keyboard
from tests.rigs.screen_reader import Node, ScreenReader, screen_reader

pytestmark = pytest.mark.display

ROOT = Path(__file__).parents[2]
CONTROLS = {
    "push button",
    "check box",
    "button menu",
    "text",
    "table",
    "column header",
    "progress bar",
    "menu item",
    "list item",
}
POPUPS = ("Range", "Time zone")
"""Panels in which a choice is made before it is applied; they are parts of the window. Menus are not, in Qt."""

PRIVATE = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")
MARKUP = re.compile(r"<[a-z/]|&(#|amp|lt|gt|quot)")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with x_server() as name:
        yield name


@pytest.fixture(scope="module")
def keys(display: str) -> Iterator[Keyboard]:
    with keyboard(display) as pressed:
        yield pressed


@pytest.fixture(scope="module")
def reader(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScreenReader]:
    """A screen reader on a window with the sample organization that has loaded."""
    home = tmp_path_factory.mktemp("a11y")
    left_out = ("OPENAI_ADMIN_KEY", "WAYLAND_DISPLAY")
    inherited = {name: value for name, value in os.environ.items() if name not in left_out}
    folders = dict.fromkeys(PRIVATE, str(home))
    with screen_reader(home) as reading:
        environment = {**inherited, **folders, **reading.environment, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        with subprocess.Popen(
            [sys.executable, "-m", "usage_viewer", "--demo"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL
        ) as program:
            try:
                reading.wait_for("Complete: 30 days")
                reading.wait_until(lambda: has_chart(reading), "the chart, which is loaded after the table")
                yield reading
            finally:
                program.terminate()


def has_chart(reading: ScreenReader) -> bool:
    return any(node.role == "chart" and node.name == "Chart: Input, tokens per day, UTC" for node in reading.tree())


def problems_of(nodes: list[Node]) -> list[str]:
    """Return what a screen reader couldn't say of visible objects, or would say wrongly."""
    nameless = [f"{node.role} without a name" for node in nodes if node.role in CONTROLS and not node.name]
    texts = [(node, text) for node in nodes for text in (node.name, node.description)]
    marked = [f"{node.role}: markup in {text!r}" for node, text in texts if MARKUP.search(text)]
    return nameless + marked


def test_every_visible_control_has_a_name_and_no_markup(reader: ScreenReader) -> None:
    nodes = list(reader.tree())
    assert len([node for node in nodes if node.role in CONTROLS]) > 25
    assert not problems_of(nodes)


def test_controls_tell_their_state(reader: ScreenReader) -> None:
    nodes = list(reader.tree())
    chips = {node.name: node.is_checked for node in nodes if node.role == "check box"}
    assert chips.pop("Group by Model")
    assert len(chips) > 4
    assert not any(chips.values())
    headers = [node.name for node in nodes if node.role == "column header"]
    assert headers[:3] == ["Model", "Requests", "Input, sorted descending"]
    (totals,) = (node for node in nodes if node.name.startswith("Total of"))
    assert (totals.role, totals.is_focusable) == ("label", True)
    assert re.search(r"groups; Requests: [0-9,]+; Input: [0-9,]+;", totals.name)


@pytest.mark.parametrize(
    ("chord", "opened", "first"),
    [
        ("Alt+D", "Dataset", "Completions"),
        ("Alt+R", "Range", "Presets"),
        ("Alt+P", "Time breakdown", "Total"),
        ("Alt+Z", "Time zone", "Search time zones"),
        ("Alt+C", "Columns", "Requests"),
        ("Alt+O", "More", "Copy all 12 rows"),
        ("F1", "Keyboard shortcuts — Usage Viewer", "Keyboard shortcuts"),
    ],
)
def test_what_opens_is_said_with_its_first_control(
    reader: ScreenReader, keys: Keyboard, chord: str, opened: str, first: str
) -> None:
    before = len(reader.focused)
    keys.press(chord)
    reader.wait_until(
        lambda: any(opened in said for said in reader.focused[before:]),
        f"{opened} to open; the focus went to {reader.focused[before:]}",
    )
    assert reader.focused[-1][:2] == [first, opened]
    if opened in POPUPS:
        assert reader.focused[-1][2:] == ["demo · Usage Viewer"]
        assert ("panel", opened) in {(node.role, node.name) for node in reader.tree()}
    keys.press("Escape")
    if opened in POPUPS:
        reader.wait_until(
            lambda: ("panel", opened) not in {(node.role, node.name) for node in reader.tree()},
            f"{opened} to close",
        )


class Person:
    """Presses keys and waits for what the screen reader says before the next key, as a person does."""

    def __init__(self, reader: ScreenReader, keys: Keyboard) -> None:
        self._reader, self._keys = reader, keys

    def hear(self, expected: str, *chords: str, typed: str = "") -> str:
        """Press keys and return what is said that contains `expected`."""
        before = len(self._reader.said)
        for chord in chords:
            self._keys.press(chord)
        self._keys.type(typed)
        return self._reader.wait_for(expected, before)

    def go(self, chord: str, *names: str) -> None:
        """Press keys that move the focus to an object; `names` are its name and those of what it is in."""
        self._keys.press(chord)
        shown = self._reader.focused
        self._reader.wait_until(
            lambda: any(list(names) == said[: len(names)] for said in shown[-1:]), f"{names}; it is {shown[-3:]}"
        )


@pytest.fixture
def person(reader: ScreenReader, keys: Keyboard) -> Person:
    keys.press("Ctrl+Home")
    keys.press("Down")
    reader.wait_until(lambda: len(reader.focused[-1]) == 3 and reader.focused[-1][1] == "Usage", "a cell's focus")
    return Person(reader, keys)


def test_fetch_of_another_range_says_its_end_and_leaves_the_focus(reader: ScreenReader, person: Person) -> None:
    before = len(reader.focused)
    assert re.fullmatch(
        r"[^.]+ 20[0-9]+\. [0-9]+ rows\. Complete: 30 days", person.hear("Complete", "Alt+Shift+Left")
    )
    assert not reader.focused[before:], reader.focused[before:]


def test_ten_tasks_are_said(reader: ScreenReader, keys: Keyboard, person: Person) -> None:
    person.go("Alt+P", "Total", "Time breakdown")
    person.go("Up", "By month", "Time breakdown")
    assert re.fullmatch(
        r"By month\. Sorted by Month \(UTC\) ascending, Input descending\. [0-9]+ rows",
        person.hear("month", "Return"),
    )
    assert re.fullmatch(r"Total\. Sorted by Input descending\. [0-9]+ rows", person.hear("Total", "Ctrl+Z"))
    person.go("Alt+G", "Group by Model", "Group by")
    person.go("Tab", "Group by Project", "Group by")
    assert re.fullmatch(r"Grouped by Model, Project\. [0-9]+ rows", person.hear("Grouped", "Space"))
    person.go("Ctrl+F", "Search", "Filter")
    assert person.hear("zzz", typed="zzz") == "Filtered by Search: zzz. 0 rows. Nothing matches the search"
    assert person.hear("cleared", "Ctrl+Shift+L") == "All filters cleared. Ctrl+Z brings them back."
    assert re.fullmatch(r"Copied [0-9]+ rows", person.hear("Copied", "Ctrl+C"))
    assert person.hear("without usage", "Ctrl+E") == "Rows without usage are included."
    person.go("Alt+D", "Completions", "Dataset")
    person.go("Down", "Decisions", "Dataset")
    assert re.search(r"^Decisions\..* [0-9]+ rows?\. Complete: 30 days$", person.hear("Complete", "Return"))
    assert re.search(r"^[0-9]+ rows?\. Complete: 30 days$", person.hear("Complete", "F5"))
    assert re.match(r"Verified [0-9:]+\. Totals of all 30 days match", person.hear("Verified", "Ctrl+K"))
