"""How the window is used is there again after a restart, and nothing that is wrong with the file does harm."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt

from tests.rigs.load import slowdown
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.window.main_window import MainWindow
from usage_viewer.gui.workspace.settings_controller import WRITE_AFTER

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands


def _edge(window: MainWindow, name: str) -> QPoint:
    header = window.page.table.header
    place = window.page.model.section(name)
    return QPoint(header.sectionViewportPosition(place) + header.sectionSize(place) - 1, header.height() // 2)


def test_everything_about_the_window(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    window.resize(770, 555)  # the offscreen screen is small
    hands.key(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    window.actions_.scheme["dark"].trigger()
    desk.settle(window, lambda: hands.click(window.page.grouping.chips["user_id"]))
    desk.settle(window, lambda: hands.sort(window, "output_tokens"))
    viewport = window.page.table.header.viewport()
    with desk.qtbot.waitSignal(window.page.table.header.widths_changed):
        hands.drag(viewport, _edge(window, "model"), _edge(window, "model") + QPoint(60, 0))
    width = window.page.table.header.sectionSize(window.page.model.section("model"))
    view = window.workspace.view
    desk.close(window)

    again = desk.start()
    assert again.size().width() == 770
    assert again.size().height() == 555
    assert again.workspace.view == view
    assert not again.actions_.bars.isChecked()
    assert again.page.model.bars is None
    assert again.actions_.scheme["dark"].isChecked()
    assert again.page.table.header.sectionSize(again.page.model.section("model")) == width
    again.actions_.scheme["system"].trigger()


def test_the_columns_of_each_dataset(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    columns = ["output_tokens", "input_tokens"]
    desk.settle(window, lambda: window.workspace.show_view(window.workspace.view.with_columns(columns)))
    hands.click(window.page.dataset)
    desk.settle(window, lambda: hands.pick("Embeddings"))
    assert window.workspace.view.dataset_name == "embeddings"
    desk.close(window)
    again = desk.start()
    assert again.workspace.view.dataset_name == "embeddings"
    hands.click(again.page.dataset)
    desk.settle(again, lambda: hands.pick("Completions"))
    assert [column.name for column in again.page.model.table.figures] == columns


def test_it_is_written_a_moment_after_a_change(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    desk.settle(window, lambda: hands.click(window.page.grouping.chips["batch"]))
    settings = ProfilePaths(desk.data_dir).settings

    def written() -> bool:  # a slow computer may have written the view of the start before
        return settings.exists() and "batch" in _grouping(settings)

    desk.qtbot.waitUntil(written, timeout=int(WRITE_AFTER * 4 * slowdown()))


def _grouping(settings: Path) -> list[str]:
    grouping: list[str] = json.loads(settings.read_text())["profiles"]["default"]["view"]["grouping"]
    return grouping


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"\xff\xfe"])
def test_a_damaged_file_is_said_and_kept_aside(desk: "Desk", damage: bytes) -> None:
    settings = ProfilePaths(desk.data_dir).settings
    settings.parent.mkdir(parents=True)
    settings.write_bytes(damage)
    window = desk.start()
    assert "settings were damaged" in window.page.status.text
    assert settings.with_name("settings.damaged.json").read_bytes() == damage
    assert window.page.table.isVisible()
    desk.close(window)
    assert json.loads(settings.read_text())["version"] == 1


def test_values_that_can_not_be_used_cost_nothing_else(desk: "Desk") -> None:
    settings = ProfilePaths(desk.data_dir).settings
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"geometry": "@@", "bars": "perhaps", "abbreviated": True, "profiles": 7}))
    window = desk.start()
    assert window.actions_.abbreviated.isChecked()
    assert window.actions_.bars.isChecked()
    assert window.page.table.isVisible()
