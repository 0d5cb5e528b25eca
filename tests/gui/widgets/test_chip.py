from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.gui.widgets.chip import MAX_WIDTH, Chip

DARK = QPalette(QColor("#2b2d31"), QColor("#1f2124"))


@pytest.fixture
def chip(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> Chip:
    """Show an active chip within a parent. Another widget has the focus."""
    parent = QWidget()
    other = QLineEdit(parent)
    other.setGeometry(0, 80, 50, 20)
    chip = Chip(parent, movable=True, addable=True)
    chip.show_state("Project", active=True, remove_text="Remove Project")
    chip.setGeometry(20, 20, chip.sizeHint().width(), chip.sizeHint().height())
    shown(parent, 400)
    other.setFocus()
    return chip


def picture(chip: Chip) -> QImage:
    return chip.grab().toImage()


def test_size_hint_fits_text_of_active_and_inactive_chip(chip: Chip) -> None:
    for text in ("Model", "Project: 3 of 12", "Größe"):
        for active in (True, False):
            chip.show_state(text, active=active)
            chip.resize(chip.sizeHint())
            assert chip.text_rect.width() >= chip.fontMetrics().horizontalAdvance(text)


def test_long_text_is_limited_to_maximum_width(chip: Chip) -> None:
    chip.show_state("x" * 500, active=True)
    assert chip.sizeHint().width() == MAX_WIDTH


def test_only_active_chip_has_close_button(chip: Chip) -> None:
    assert chip.close_button.isVisible()
    assert chip.close_button.accessibleName() == "Remove Project"
    assert chip.rect().contains(chip.close_button.geometry())
    chip.show_state("Project", active=False)
    assert not chip.close_button.isVisible()


def test_focused_pressed_inactive_and_disabled_chips_look_different(chip: Chip, qtbot: QtBot) -> None:
    plain = picture(chip)
    chip.setFocus()
    focused = picture(chip)
    chip.setDown(True)
    pressed = picture(chip)
    chip.setDown(False)
    chip.show_state("Project", active=False)
    inactive = picture(chip)
    chip.setEnabled(False)
    disabled = picture(chip)
    pictures = [plain, focused, pressed, inactive, disabled]
    assert all(one != other for index, one in enumerate(pictures) for other in pictures[index + 1 :])


def test_chip_follows_palette(chip: Chip) -> None:
    light = picture(chip)
    chip.setPalette(DARK)
    dark = picture(chip)
    x = dark.rect().center().x()
    assert QColor(dark.pixel(x, 4)).lightness() < 128 < QColor(light.pixel(x, 4)).lightness()


def test_chip_is_mirrored_in_right_to_left_layout(chip: Chip) -> None:
    assert chip.close_button.x() > chip.width() // 2
    chip.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    chip.resize(chip.width() + 1, chip.height())
    assert chip.close_button.x() < chip.width() // 2


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_delete_and_backspace_request_removal(chip: Chip, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitSignal(chip.remove_requested):
        qtbot.keyClick(chip, key)


def test_close_button_requests_removal_without_clicking_chip(chip: Chip, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(chip.clicked), qtbot.waitSignal(chip.remove_requested):
        qtbot.mouseClick(chip.close_button, Qt.MouseButton.LeftButton)


def test_chip_that_is_not_movable_is_not_dragged(shown: Callable[[QWidget, int], None], qtbot: QtBot) -> None:
    chip = Chip()
    chip.show_state("Batch: no", active=True)
    shown(chip, 200)
    with qtbot.assertNotEmitted(chip.dragged), qtbot.assertNotEmitted(chip.move_requested):
        qtbot.mousePress(chip, Qt.MouseButton.LeftButton)
        qtbot.mouseMove(chip, chip.rect().bottomRight() * 3)
        qtbot.mouseRelease(chip, Qt.MouseButton.LeftButton)
        qtbot.keyClick(chip, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
