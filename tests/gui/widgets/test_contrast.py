"""Tests contrast ratios and the shades that reach them."""

import pytest
from PySide6.QtGui import QColor

from usage_viewer.gui.widgets.contrast import contrast, nearest, over

BLACK, WHITE = QColor("black"), QColor("white")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(QColor("#767676"), WHITE) == pytest.approx(4.54, abs=0.01)
    assert contrast(QColor("#308cc6"), WHITE) == pytest.approx(3.66, abs=0.05)


def test_colour_with_enough_contrast_is_kept() -> None:
    assert nearest(QColor("#005599"), [(WHITE, 4.5)]) == QColor("#005599")


@pytest.mark.parametrize("colour", ["#308cc6", "#3daee9", "#ffcc00", "#808080", "#ffffff", "#000000"])
@pytest.mark.parametrize("ground", ["#ffffff", "#17181a", "#efefef"])
def test_nearest_shade_has_the_contrast(colour: str, ground: str) -> None:
    shade = nearest(QColor(colour), [(QColor(ground), 4.5)])
    assert contrast(shade, QColor(ground)) >= 4.5


def test_shade_between_two_grounds() -> None:
    shade = nearest(QColor("#308cc6"), [(WHITE, 3), (BLACK, 4.5)])
    assert contrast(shade, WHITE) >= 3
    assert contrast(shade, BLACK) >= 4.5


def test_translucent_colour_on_its_ground() -> None:
    grey = over(QColor(0, 0, 0, 128), WHITE)
    assert grey.red() == pytest.approx(127, abs=1)
