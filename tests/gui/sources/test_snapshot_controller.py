"""A snapshot saved from the window, opened in one without a key: every control works, nothing is fetched."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import SortKey
from usage_viewer.gui.sources.snapshot_controller import FOLDER, ONE_FILE, chosen_path
from usage_viewer.keystore import Keystore, MemoryKeystore

if TYPE_CHECKING:
    from tests.rigs.window import Desk


def _choose_in_dialog(name: str) -> None:
    """Types a name into the file dialog that the next command opens, and accepts it."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        field = dialog.findChild(QLineEdit)
        assert field is not None
        field.setText(name)
        dialog.accept()
        if dialog.isVisible():  # what it asks in return, such as whether to replace
            dialog.done(QDialog.DialogCode.Rejected)

    QTimer.singleShot(300, answer)


@pytest.fixture
def own_dialogs(qtbot: QtBot) -> Iterator[None]:
    """Qt's own file dialogs, which a test can type into."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    yield
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, False)


@pytest.fixture
def saved(desk: "Desk", qtbot: QtBot, tmp_path: Path, own_dialogs: None) -> Path:
    """As the menu saves it, of completions by project and model."""
    window = desk.start()
    view = window.workspace.view.with_grouping(["project_id", "model"])
    desk.settle(window, lambda: window.workspace.show_view(view))
    _choose_in_dialog(str(tmp_path / "usage.zip"))
    with qtbot.waitSignal(window.snapshots.saved, timeout=10_000):
        window.actions_.save_snapshot.trigger()
    assert "usage.zip" in window.page.status.text
    desk.close(window)
    return tmp_path / "usage.zip"


@pytest.fixture
def without_key() -> Callable[[], Keystore]:
    """A place for keys with none in it."""
    return MemoryKeystore


def test_it_opens_without_a_key_and_every_control_works(
    desk: "Desk", qtbot: QtBot, saved: Path, without_key: Callable[[], Keystore]
) -> None:
    window = desk.make(without_key)
    desk.server.__exit__(None, None, None)  # there is nobody to ask
    desk.settle(window, lambda: window.start(snapshot=saved))
    page = window.page
    assert page.isVisible()
    assert window.workspace.view.grouping == ("project_id", "model")
    assert page.status.text.startswith("Snapshot of 20")
    assert page.status.text.endswith("30 of 30 days")
    assert "usage.zip" in window.windowTitle()
    rows = page.model.table.rows
    assert rows > 20

    workspace = window.workspace
    desk.settle(
        window, lambda: workspace.show_view(workspace.view.with_per(Granularity.WEEK).with_grouping(["user_id"]))
    )
    assert page.model.table.rows > 5
    value = workspace.values("model")[0]
    desk.settle(window, lambda: workspace.show_view(workspace.view.only("model", value)))
    assert page.filters.isVisible()
    desk.settle(window, lambda: workspace.show_view(workspace.view.without_filters().sorted_by("output_tokens")))
    assert workspace.view.order == (SortKey("output_tokens"),)
    qtbot.keyClick(page.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    with qtbot.waitSignal(window.copying.done):
        qtbot.keyClick(page.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert len(QApplication.clipboard().text().splitlines()) == page.model.table.rows + 1

    actions = window.actions_
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
    assert page.status.seal.isHidden()
    assert not page.banner.isVisible()


def test_what_is_not_in_it_is_said_without_a_retry(
    desk: "Desk", saved: Path, without_key: Callable[[], Keystore]
) -> None:
    window = desk.make(without_key)
    desk.settle(window, lambda: window.start(snapshot=saved))
    earlier = window.workspace.view.with_range(DateRange.days(date(2025, 1, 1), date(2025, 1, 31)))
    desk.settle(window, lambda: window.workspace.show_view(earlier))
    empty = window.page.empty
    assert empty.isVisible()
    assert empty.title == "This is not in the snapshot"
    assert not any(button.isVisible() for button in empty.findChildren(QPushButton))
    assert "0 of 31 days" in window.page.status.text
    grey = window.page.dataset.menu_actions["images"]
    assert not grey.isEnabled()
    assert "Not in this snapshot" in grey.statusTip()


def test_it_is_closed_again(desk: "Desk", saved: Path) -> None:
    window = desk.start()
    _choose_in_dialog(str(saved))
    desk.settle(window, window.actions_.open_snapshot.trigger)
    assert window.page.status.text.startswith("Snapshot of")
    desk.settle(window, window.actions_.close_snapshot.trigger)
    assert "fetched" in window.page.status.text
    assert window.actions_.refresh.isEnabled()
    assert window.actions_.prove.isEnabled()
    assert window.page.status.seal.isVisible()
    assert not window.actions_.close_snapshot.isVisible()
    assert window.page.dataset.menu_actions["images"].isEnabled()


def test_what_is_no_snapshot_is_said_and_what_was_shown_stays(desk: "Desk", tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"nothing of the kind")
    window = desk.start()
    rows = window.page.model.table.rows
    window.snapshots.open(tmp_path / "x.zip")
    desk.qtbot.waitUntil(window.page.banner.isVisible)
    assert window.page.banner.error is not None
    assert window.page.banner.error.title == "This is not a snapshot"
    assert window.page.model.table.rows == rows


def test_a_damaged_one_at_the_start_leads_back(desk: "Desk", saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 0xFF
    saved.write_bytes(content)
    window = desk.make()
    window.start(snapshot=saved)
    desk.qtbot.waitUntil(window.page.banner.isVisible)
    assert window.page.banner.error is not None
    assert "damaged" in window.page.banner.error.title
    back = next(b for b in window.page.banner.findChildren(QPushButton) if "organization" in b.text())
    desk.settle(window, back.click)
    assert window.page.model.table.rows


def test_a_snapshot_that_is_not_there(desk: "Desk", tmp_path: Path) -> None:
    window = desk.make()
    desk.settle(window, lambda: window.start(snapshot=tmp_path / "gone.zip"))
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
def test_the_ending_follows_the_kind(name: str, kind: str, path: str) -> None:
    assert chosen_path(name, kind) == Path(path)
