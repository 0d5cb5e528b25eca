"""The lists' words: rows with names, figures with their units, what is listed of how many."""

from decimal import Decimal

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.dataset import Identity
from usage_viewer.domain.names import Name, Names
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.verification import (
    BrokenIdentities,
    BrokenIdentity,
    Bucket,
    Completeness,
    Difference,
    Verdict,
)
from usage_viewer.gui.verification.record_dialog import RecordDialog
from usage_viewer.gui.verification.record_lists import breaches_list, differences_list, metrics_of

DAY = Bucket(1_793_491_200, BucketWidth.DAY)
HOUR = Bucket(1_793_491_200 + 14 * 3600, BucketWidth.HOUR)
COMPLETIONS, COSTS, STORES = DATASETS["completions"], DATASETS["costs"], DATASETS["vector_stores"]
NAMES = Names.of([Name("project", "proj_a", "Search")])
ROW = ("proj_a", None, "key_x", "gpt-6", "true", None, None)
OUTPUT = Identity("output_tokens", ("output_text_tokens", "output_audio_tokens"))


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    widget.setLocale(QLocale("en_GB"))
    qtbot.addWidget(widget)
    return widget


def texts(listing: RecordDialog) -> list[list[str]]:
    return [[field.text(row) for field in listing.model.fields] for row in listing.model.rows]


def test_what_differs(parent: QWidget) -> None:
    found = (
        Difference(DAY, "amount", Decimal("1.5"), Decimal("2.503"), "usd"),
        Difference(DAY, "quantity", Decimal(3), Decimal(1), None),
    )
    listing = differences_list(Completeness(Verdict.DIFFERS, 1, 1, found), COSTS, NAMES, parent)
    assert texts(listing) == [
        ["Sun, 1 Nov 2026", "day", "Amount", "1.50", "2.503", "-1.003", "usd"],
        ["Sun, 1 Nov 2026", "day", "Quantity", "3", "1", "2", "units"],
    ]


def test_what_contradicts_itself(parent: QWidget) -> None:
    breach = BrokenIdentity(OUTPUT, HOUR, ROW, 12345, 12340)
    listing = breaches_list(BrokenIdentities(1, (breach,)), COMPLETIONS, NAMES, parent)
    assert texts(listing) == [
        [
            "Sun, 1 Nov 2026 14:00",
            "Output",
            "12,345",
            "12,340",
            "5",
            "Text output + Audio output",
            "Search · key_x · gpt-6 · Batch: yes",
        ]
    ]
    assert listing.intro.text().startswith("1 figure isn't the sum of its parts")
    assert "listed" not in listing.intro.text()


def test_a_row_about_nothing_in_particular(parent: QWidget) -> None:
    breach = BrokenIdentity(OUTPUT, DAY, (None,) * 7, 1, 2)
    assert texts(breaches_list(BrokenIdentities(1, (breach,)), COMPLETIONS, NAMES, parent))[0][-1] == "(none)"


def test_what_is_not_listed_is_said(parent: QWidget) -> None:
    breach = BrokenIdentity(OUTPUT, DAY, ROW, 1, 2)
    intro = breaches_list(BrokenIdentities(5000, (breach,) * 3), COMPLETIONS, NAMES, parent).intro.text()
    assert intro.startswith("5,000 figures aren't the sum of their parts")
    assert "The first 3 are listed." in intro


@pytest.mark.parametrize(
    ("column", "metrics"),
    [
        ("input_tokens", ("input_tokens",)),
        ("cached_share", ("input_cached_tokens", "input_tokens")),
        ("tokens_per_request", ("input_tokens", "output_tokens", "num_model_requests")),
        ("model", ("num_model_requests", "input_cached_tokens", "input_tokens")),
        ("a field of a later version", ("num_model_requests", "input_cached_tokens", "input_tokens")),
    ],
)
def test_the_metrics_that_a_cell_is_made_of(column: str, metrics: tuple[str, ...]) -> None:
    shown = ("num_model_requests", "cached_share", "a field of a later version")
    assert metrics_of(column, COMPLETIONS, shown) == metrics


def test_a_level_over_time_is_made_of_the_level() -> None:
    over_time = [item.name for item in STORES.columns if item.name.startswith("usage_bytes_")]
    assert over_time
    assert {metrics_of(name, STORES, ()) for name in over_time} == {("usage_bytes",)}
