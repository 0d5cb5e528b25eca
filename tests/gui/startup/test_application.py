"""Tests what the application sets before its first window."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale

from usage_viewer.gui.formatting.row_counts import chosen_text
from usage_viewer.gui.startup.application import group_digits_without_language


@pytest.fixture
def default_locale() -> Iterator[None]:
    before = QLocale()
    yield
    QLocale.setDefault(before)


@pytest.mark.usefixtures("default_locale")
@pytest.mark.parametrize(
    ("name", "rows"), [("C", "6,702"), ("en_US", "6,702"), ("de_DE", "6.702"), ("es_ES", "6702")]
)
def test_digits_are_grouped_as_in_the_table(name: str, rows: str) -> None:
    QLocale.setDefault(QLocale(name))
    group_digits_without_language()
    assert QLocale().name() == name
    assert chosen_text((), 6702, QLocale()) == f"all {rows} rows"
