"""Tests that settings are restored at the next start and that a damaged file does no harm."""

import json

import pytest
from PySide6.QtCore import QPoint, Qt

from tests.rigs.load import slowdown
from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.workspace.settings_controller import WRITE_DELAY_MS


def _edge(window: WindowUnderTest, name: str) -> QPoint:
    header = window.page.table.header
    place = window.page.model.section(name)
    return QPoint(header.sectionViewportPosition(place) + header.sectionSize(place) - 1, header.height() // 2)


def test_window_is_restored_at_the_next_start(rig: WindowRig, user: User) -> None:
    window = rig.start()
    window.resize(770, 555)  # the offscreen screen is small
    user.key(Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    window.commands.scheme["dark"].trigger()
    rig.settle(window, lambda: user.click(window.page.grouping.chips["user_id"]))
    rig.settle(window, lambda: user.sort(window, "output_tokens"))
    window.page.table.horizontalScrollBar().setValue(0)
    viewport = window.page.table.header.viewport()
    with rig.qtbot.waitSignal(window.page.table.header.widths_changed):
        user.drag(viewport, _edge(window, "model"), _edge(window, "model") + QPoint(60, 0))
    width = window.page.table.header.sectionSize(window.page.model.section("model"))
    view = window.workspace.view
    rig.close(window)

    again = rig.start()
    assert again.size().width() == 770
    assert again.size().height() == 555
    assert again.workspace.view == view
    assert not again.commands.bars.isChecked()
    assert again.page.model.bars is None
    assert again.commands.scheme["dark"].isChecked()
    assert again.page.table.header.sectionSize(again.page.model.section("model")) == width
    again.commands.scheme["system"].trigger()


def test_each_dataset_keeps_its_columns(rig: WindowRig, user: User) -> None:
    window = rig.start()
    columns = ["output_tokens", "input_tokens"]
    rig.settle(window, lambda: window.workspace.show_view(window.workspace.view.with_columns(columns)))
    user.click(window.page.dataset)
    rig.settle(window, lambda: user.pick("Embeddings"))
    assert window.workspace.view.dataset_name == "embeddings"
    rig.close(window)
    again = rig.start()
    assert again.workspace.view.dataset_name == "embeddings"
    user.click(again.page.dataset)
    rig.settle(again, lambda: user.pick("Completions"))
    assert [column.name for column in again.page.model.table.figures] == columns


def test_settings_are_written_soon_after_a_change(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.settle(window, lambda: user.click(window.page.grouping.chips["batch"]))
    settings = ProfilePaths(rig.data_dir).settings

    def is_written() -> bool:
        profiles = json.loads(settings.read_text())["profiles"] if settings.exists() else {}
        return "default" in profiles and "batch" in profiles["default"]["view"]["grouping"]

    rig.qtbot.waitUntil(is_written, timeout=int(WRITE_DELAY_MS * 4 * slowdown()))


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"\xff\xfe"])
def test_damaged_settings_are_reported_and_copied(rig: WindowRig, damage: bytes) -> None:
    settings = ProfilePaths(rig.data_dir).settings
    settings.parent.mkdir(parents=True)
    settings.write_bytes(damage)
    window = rig.start()
    assert "settings were damaged" in window.page.status.text
    assert settings.with_name("settings.damaged.json").read_bytes() == damage
    assert window.page.table.isVisible()
    rig.close(window)
    assert json.loads(settings.read_text())["version"] == 1


def test_invalid_values_leave_other_settings_alone(rig: WindowRig) -> None:
    settings = ProfilePaths(rig.data_dir).settings
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"geometry": "@@", "bars": "perhaps", "abbreviated": True, "profiles": 7}))
    window = rig.start()
    assert window.commands.abbreviated.isChecked()
    assert window.commands.bars.isChecked()
    assert window.page.table.isVisible()
