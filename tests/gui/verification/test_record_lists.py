"""Tests the texts of the record dialogs: names, figures with units, and the number of listed records."""

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
from usage_viewer.gui.verification.record_lists import broken_identities_dialog, differences_dialog, metrics_of

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


def titles(dialog: RecordDialog) -> list[str]:
    return [field.title for field in dialog.model.fields]


def texts(dialog: RecordDialog) -> list[list[str]]:
    return [[field.text(row) for field in dialog.model.fields] for row in dialog.model.rows]


def test_differences_list_has_both_totals_with_unit(parent: QWidget) -> None:
    differences = (
        Difference(DAY, "amount", Decimal("1.5"), Decimal("2.503"), "usd"),
        Difference(DAY, "quantity", Decimal(3), Decimal(1), None),
    )
    dialog = differences_dialog(Completeness(Verdict.DIFFERS, 1, 1, differences), COSTS, NAMES, parent)
    assert titles(dialog)[3:6] == ["Downloaded", "OpenAI's total", "Difference"]
    assert texts(dialog) == [
        ["Sun, 1 Nov 2026", "day", "Amount", "1.50", "2.503", "−1.003", "USD"],
        ["Sun, 1 Nov 2026", "day", "Quantity", "3", "1", "2", "units"],
    ]
    assert "\t-1.003\t" in dialog.model.as_text([0]), "spreadsheets read the minus of copies"


def test_broken_identity_list_has_total_and_sum_of_parts(parent: QWidget) -> None:
    broken = BrokenIdentity(OUTPUT, HOUR, ROW, 12345, 12340)
    dialog = broken_identities_dialog(BrokenIdentities(1, (broken,)), COMPLETIONS, NAMES, parent)
    assert titles(dialog)[2:5] == ["Total", "Sum of parts", "Difference"]
    assert texts(dialog) == [
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
    assert dialog.intro.text() == ("Parts don't add up to the total in 1 figure. This is how OpenAI reported them.")


def test_record_without_dimensions_is_labelled_none(parent: QWidget) -> None:
    broken = BrokenIdentity(OUTPUT, DAY, (None,) * 7, 1, 2)
    assert (
        texts(broken_identities_dialog(BrokenIdentities(1, (broken,)), COMPLETIONS, NAMES, parent))[0][-1]
        == "(none)"
    )


def test_intro_counts_listed_and_unlisted_figures(parent: QWidget) -> None:
    broken = BrokenIdentity(OUTPUT, DAY, ROW, 1, 2)
    intro = broken_identities_dialog(BrokenIdentities(5000, (broken,) * 3), COMPLETIONS, NAMES, parent).intro.text()
    assert intro.startswith("Parts don't add up to the total in 5,000 figures")
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
def test_stored_metrics_of_column(column: str, metrics: tuple[str, ...]) -> None:
    shown = ("num_model_requests", "cached_share", "a field of a later version")
    assert metrics_of(column, COMPLETIONS, shown) == metrics


def test_stored_metric_of_level_over_time_is_the_level() -> None:
    over_time = [item.name for item in STORES.columns if item.name.startswith("usage_bytes_")]
    assert over_time
    assert {metrics_of(name, STORES, ()) for name in over_time} == {("usage_bytes",)}
