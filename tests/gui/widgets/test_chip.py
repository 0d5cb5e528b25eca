from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.chip import WIDEST, Chip

DARK = QPalette(QColor("#2b2d31"), QColor("#1f2124"))


@pytest.fixture
def chip(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> Chip:
    """One that stands in a parent, active, without the focus."""
    parent = QWidget()
    elsewhere = QLineEdit(parent)
    elsewhere.setGeometry(0, 80, 50, 20)
    chip = Chip(parent, movable=True, addable=True)
    chip.show_state("Project", active=True, remove_text="Remove Project")
    chip.setGeometry(20, 20, chip.sizeHint().width(), chip.sizeHint().height())
    shown(parent, 400)
    elsewhere.setFocus()
    return chip


def picture(chip: Chip) -> QImage:
    return chip.grab().toImage()


def test_it_has_room_for_its_text_on_or_off(chip: Chip) -> None:
    for text in ("Model", "Project: 3 of 12", "Größe"):
        for active in (True, False):
            chip.show_state(text, active=active)
            chip.resize(chip.sizeHint())
            left, right = chip._margins(chip.height())
            assert chip.width() - left - right >= chip.fontMetrics().horizontalAdvance(text)


def test_a_long_text_is_cut_not_stretched(chip: Chip) -> None:
    chip.show_state("x" * 500, active=True)
    assert chip.sizeHint().width() == WIDEST


def test_only_an_active_chip_has_a_close_button(chip: Chip) -> None:
    assert chip.close_button.isVisible()
    assert chip.close_button.accessibleName() == "Remove Project"
    assert chip.rect().contains(chip.close_button.geometry())
    chip.show_state("Project", active=False)
    assert not chip.close_button.isVisible()


def test_focus_hover_press_and_being_off_can_be_seen(chip: Chip, qtbot: QtBot) -> None:
    plain = picture(chip)
    chip.setFocus()
    focused = picture(chip)
    chip.setDown(True)
    pressed = picture(chip)
    chip.setDown(False)
    chip.show_state("Project", active=False)
    off = picture(chip)
    chip.setEnabled(False)
    grey = picture(chip)
    pictures = [plain, focused, pressed, off, grey]
    assert all(one != other for index, one in enumerate(pictures) for other in pictures[index + 1 :])


def test_it_follows_the_palette(chip: Chip) -> None:
    light = picture(chip)
    chip.setPalette(DARK)
    dark = picture(chip)
    middle = dark.rect().center()
    assert QColor(dark.pixel(middle.x(), 4)).lightness() < 128 < QColor(light.pixel(middle.x(), 4)).lightness()


def test_it_is_mirrored_from_right_to_left(chip: Chip) -> None:
    assert chip.close_button.x() > chip.width() // 2
    chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    chip.resize(chip.width() + 1, chip.height())
    assert chip.close_button.x() < chip.width() // 2


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_and_backspace_remove(chip: Chip, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitSignal(chip.removed):
        qtbot.keyClick(chip, key)


def test_the_cross_removes_without_pressing_the_chip(chip: Chip, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(chip.clicked), qtbot.waitSignal(chip.removed):
        qtbot.mouseClick(chip.close_button, Qt.MouseButton.LeftButton)


def test_a_chip_that_can_not_be_moved_is_not_dragged(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    chip = Chip()
    chip.show_state("Batch: no", active=True)
    shown(chip, 200)
    with qtbot.assertNotEmitted(chip.dragged), qtbot.assertNotEmitted(chip.shifted):
        qtbot.mousePress(chip, Qt.MouseButton.LeftButton)
        qtbot.mouseMove(chip, chip.rect().bottomRight() * 3)
        qtbot.mouseRelease(chip, Qt.MouseButton.LeftButton)
        qtbot.keyClick(chip, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
