"""Tests saving a snapshot and opening it without a key: every control works and nothing is fetched."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.rigs.window import WindowRig
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view_parts import SortKey
from usage_viewer.gui.sources.snapshot_controller import FOLDER, ONE_FILE, path_with_ending
from usage_viewer.keystore import Keystore, MemoryKeystore


def _choose_in_dialog(name: str) -> None:
    """Type a name into the file dialog that the next command opens, and accept it."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        field = dialog.findChild(QLineEdit)
        assert field is not None
        field.setText(name)
        dialog.accept()
        if dialog.isVisible():  # it asks another question, such as whether to replace the file
            dialog.done(QDialog.DialogCode.Rejected)

    QTimer.singleShot(300, answer)


@pytest.fixture
def qt_dialogs(qtbot: QtBot) -> Iterator[None]:
    """Use Qt's own file dialogs, which a test can type into."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    yield
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


@pytest.fixture
def saved(rig: WindowRig, qtbot: QtBot, tmp_path: Path, qt_dialogs: None) -> Path:
    """Save completions by project and model with the menu's command."""
    window = rig.start()
    view = window.workspace.view.with_grouping(["project_id", "model"])
    rig.settle(window, lambda: window.workspace.show_view(view))
    _choose_in_dialog(str(tmp_path / "usage.zip"))
    with qtbot.waitSignal(window.snapshots.saved, timeout=10_000):
        window.commands.save_snapshot.trigger()
    assert "usage.zip" in window.page.status.text
    rig.close(window)
    return tmp_path / "usage.zip"


@pytest.fixture
def without_key() -> Callable[[], Keystore]:
    """Build a keystore without a key."""
    return MemoryKeystore


def test_snapshot_opens_without_a_key_and_every_control_works(
    rig: WindowRig, qtbot: QtBot, saved: Path, without_key: Callable[[], Keystore]
) -> None:
    rig.server.__exit__(None, None, None)
    window = rig.open(rig.context(without_key, snapshot=saved))
    page = window.page
    assert page.isVisible()
    assert window.workspace.view.grouping == ("project_id", "model")
    assert page.status.text.startswith("Snapshot of 20")
    assert page.status.text.endswith("Complete: 30 days")
    assert "usage.zip" in window.windowTitle()
    rows = page.model.table.rows
    assert rows > 20

    workspace = window.workspace
    rig.settle(
        window, lambda: workspace.show_view(workspace.view.with_per(Granularity.WEEK).with_grouping(["user_id"]))
    )
    assert page.model.table.rows > 5
    value = workspace.values("model")[0]
    rig.settle(window, lambda: workspace.show_view(workspace.view.only("model", value)))
    assert page.filters.isVisible()
    rig.settle(window, lambda: workspace.show_view(workspace.view.without_filters().sorted_by("output_tokens")))
    assert workspace.view.order == (SortKey("output_tokens"),)
    qtbot.keyClick(page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(window.copying.done):
        qtbot.keyClick(page.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert len(QApplication.clipboard().text().splitlines()) == page.model.table.rows + 1

    actions = window.commands
    assert not any(
        action.isEnabled()
        for action in (
            actions.refresh,
            actions.replace_key,
            actions.forget_key,
            actions.erase,
            actions.prove,
        )
    )
    assert page.status.badge.text().startswith("Verified ")  # as it was when the snapshot was saved
    assert not page.banner.isVisible()
    assert not page.incomplete.isVisible()
    assert page.snapshot.title.startswith("Snapshot of 20")
    close = next(button for button in page.snapshot.findChildren(QPushButton) if button.isVisible())
    assert close.text() == "&Close"


def test_range_outside_the_snapshot_is_explained(
    rig: WindowRig, saved: Path, without_key: Callable[[], Keystore]
) -> None:
    window = rig.open(rig.context(without_key, snapshot=saved))
    earlier = window.workspace.view.with_range(DateRange.days(date(2025, 1, 1), date(2025, 1, 31)))
    rig.settle(window, lambda: window.workspace.show_view(earlier))
    empty = window.page.empty
    assert empty.isVisible()
    assert empty.title == "This range is not in the snapshot"
    assert not any(button.isVisible() for button in empty.findChildren(QPushButton))
    assert "0 of 31 days" in window.page.status.text
    grey = window.page.dataset.menu_actions["images"]
    assert not grey.isEnabled()
    assert "Not in this snapshot" in grey.statusTip()


def test_snapshot_closes(rig: WindowRig, saved: Path) -> None:
    window = rig.start()
    _choose_in_dialog(str(saved))
    rig.settle(window, window.commands.open_snapshot.trigger)
    assert window.page.status.text.startswith("Snapshot of")
    assert window.page.snapshot.isVisible()
    close = next(button for button in window.page.snapshot.findChildren(QPushButton) if button.isVisible())
    rig.settle(window, close.click)
    assert not window.page.snapshot.isVisible()
    assert "loaded" in window.page.status.text
    assert window.commands.refresh.isEnabled()
    assert window.commands.prove.isEnabled()
    assert window.page.status.badge.isVisible()
    assert not window.commands.close_snapshot.isVisible()
    assert window.page.dataset.menu_actions["images"].isEnabled()


def test_range_partly_in_the_snapshot_is_incomplete(
    rig: WindowRig, saved: Path, without_key: Callable[[], Keystore]
) -> None:
    window = rig.open(rig.context(without_key, snapshot=saved))
    page, saved_rows = window.page, window.page.model.table.rows
    today = datetime.fromtimestamp(rig.clock(), UTC).date()
    longer = window.workspace.view.with_range(DateRange.days(today - timedelta(days=59), today))
    rig.settle(window, lambda: window.workspace.show_view(longer))
    assert page.incomplete.isVisible()
    assert page.incomplete.title == "Incomplete: 30 of 60 days loaded"
    assert not page.status.badge.text().startswith("Verified")
    button = next(button for button in page.incomplete.findChildren(QPushButton) if button.isVisible())
    assert button.text() == "Show the &saved range"
    rig.settle(window, button.click)
    assert not page.incomplete.isVisible()
    assert page.model.table.rows == saved_rows


def test_other_file_is_reported_and_the_table_stays(rig: WindowRig, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"nothing of the kind")
    window = rig.start()
    rows = window.page.model.table.rows
    window.snapshots.open(tmp_path / "x.zip")
    rig.qtbot.waitUntil(window.page.banner.isVisible)
    assert window.page.banner.error is not None
    assert window.page.banner.error.title == "This is not a snapshot"
    assert window.page.model.table.rows == rows


def test_damaged_snapshot_offers_the_organization(rig: WindowRig, saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 0xFF
    saved.write_bytes(content)
    window = rig.open(rig.context(snapshot=saved), wait=False)
    rig.qtbot.waitUntil(window.page.banner.isVisible)
    assert window.page.banner.error is not None
    assert "damaged" in window.page.banner.error.title
    back = next(b for b in window.page.banner.findChildren(QPushButton) if "organization" in b.text())
    rig.settle(window, back.click)
    assert window.page.model.table.rows


def test_missing_snapshot_is_reported(rig: WindowRig, tmp_path: Path) -> None:
    window = rig.open(rig.context(snapshot=tmp_path / "gone.zip"))
    assert window.page.banner.error is not None
    assert "was not found" in window.page.banner.error.title


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("a", ONE_FILE, "a.zip"),
        ("a.zip", ONE_FILE, "a.zip"),
        ("2026.11", ONE_FILE, "2026.11.zip"),
        ("a.ZIP", ONE_FILE, "a.ZIP"),
        ("a", FOLDER, "a"),
        ("a.zip", FOLDER, "a"),
        ("2026.11", FOLDER, "2026.11"),
    ],
)
def test_ending_follows_the_kind(name: str, kind: str, path: str) -> None:
    assert path_with_ending(name, kind) == Path(path)
