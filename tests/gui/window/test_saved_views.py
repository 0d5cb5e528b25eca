"""Tests saved views in the window: keys, menu, history, notices, the dialog, other windows and files."""

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QLineEdit, QToolButton

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.settings.saved_views import READY_MADE, SavedView, add, new_view, open_view
from usage_viewer.app.settings.view_file import KIND, change_views, export_views, load_views
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter, SortKey
from usage_viewer.gui.window.saved_views_dialog import RemoveViewDialog, RenameViewDialog, SavedViewsDialog

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
MINE = ViewState(
    range=DateRange(Preset.LAST_7_DAYS),
    per=Granularity.DAY,
    grouping=("project_id", "model"),
    filters=(Filter("batch", frozenset(["true"]), exclude=True),),
    order=(SortKey("output_tokens", descending=True), SortKey("model")),
    columns=("output_tokens", "num_model_requests"),
    zone="Europe/Berlin",
    compare=Comparison.PREVIOUS,
)


@pytest.fixture
def window(rig: WindowRig) -> WindowUnderTest:
    return rig.start()


def names(window: WindowUnderTest) -> list[str]:
    return [one.name for one in window.parts.saved_views.list.views]


def save_as(rig: WindowRig, user: User, window: WindowUnderTest, name: str) -> None:
    """Save the shown view by the keys."""
    user.key(Qt.Key.Key_D, CONTROL)
    user.activate(window.dialog)
    user.type(name)
    user.key(Qt.Key.Key_Return)
    user.activate(window)


def open_list(user: User, window: WindowUnderTest) -> SavedViewsDialog:
    window.commands.edit_views.trigger()
    dialog = next(one for one in window.findChildren(SavedViewsDialog) if one.isVisible())
    user.activate(dialog)
    return dialog


class TestShowing:
    @pytest.mark.parametrize("position", range(5))
    def test_key_shows_the_view_in_one_step_of_history(
        self, rig: WindowRig, user: User, window: WindowUnderTest, position: int
    ) -> None:
        before = window.view
        rig.settle(window, lambda: user.key(Qt.Key(Qt.Key.Key_1 + position), CONTROL))
        assert window.view == open_view(READY_MADE[position]).view
        rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
        assert window.view == before

    def test_fast_keys_are_a_step_each(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        before = window.view
        rig.pace.step = 0.001  # seconds: much faster than changes of one control that are merged
        user.key(Qt.Key.Key_4, CONTROL)
        user.key(Qt.Key.Key_5, CONTROL)
        rig.settle(window, lambda: user.key(Qt.Key.Key_4, CONTROL))
        for position in (4, 3):
            rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
            assert window.view == open_view(READY_MADE[position]).view
        rig.settle(window, lambda: user.key(Qt.Key.Key_Left, ALT))
        assert window.view == before

    def test_menu_shows_and_lists_the_views(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        (button,) = (one for one in window.page.findChildren(QToolButton) if one.accessibleName() == "Saved views")
        user.click(button)
        menu = user.menu
        assert [action.text() for action in menu.actions() if not action.isSeparator()] == [
            *(one.name for one in READY_MADE),
            "&Save this view…",
            "&Edit saved views…",
        ]
        rig.settle(window, lambda: user.pick("Keys by cached share"))
        assert window.view == open_view(READY_MADE[3]).view
        assert user.focus is window.page.table

    def test_key_without_a_view_says_so(self, user: User, window: WindowUnderTest) -> None:
        before = window.view
        user.key(Qt.Key.Key_9, CONTROL)
        assert window.view == before
        assert "no saved view 9" in window.page.status.text

    def test_unknown_parts_are_said_until_the_next_view(
        self, rig: WindowRig, user: User, window: WindowUnderTest
    ) -> None:
        stored = {**new_view("", MINE).stored, "grouping": ["mood", "model"], "hologram": 1}
        window.parts.saved_views.list.change(lambda views: (SavedView("x", "Odd", stored), *views))
        rig.settle(window, lambda: user.key(Qt.Key.Key_1, CONTROL))
        assert window.view == MINE.with_grouping(["model"])
        assert "can't be grouped by “mood”" in window.page.notes.text
        assert "“hologram”" in window.page.notes.text
        rig.show(window, window.view.with_per(Granularity.TOTAL))
        assert "mood" not in window.page.notes.text


class TestKeeping:
    def test_saved_view_is_equal_after_a_restart(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        rig.show(window, MINE)
        save_as(rig, user, window, "Mine")
        shown = window.page.grab().toImage()
        rig.close(window)
        again = rig.start()
        again.resize(shown.size())
        assert names(again)[-1] == "Mine"
        rig.show(again, ViewState())
        rig.settle(again, lambda: user.key(Qt.Key.Key_6, CONTROL))
        assert again.view == MINE

    def test_range_stays_relative(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        rig.show(window, ViewState(range=DateRange(Preset.THIS_MONTH)))
        save_as(rig, user, window, "Mine")
        stored = json.loads((rig.data_dir / "views.json").read_text())["views"][-1]["view"]
        assert stored["range"] == {"preset": "this-month", "start": None, "end": None}

    def test_file_has_no_key_and_no_figure(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        save_as(rig, user, window, "Mine")
        dialog = open_list(user, window)
        file = rig.data_dir / "shared.json"
        dialog.export_to(file)
        assert "Exported 6 views to shared.json" in dialog.message.text()
        text = file.read_text()
        assert rig.server.key not in text
        model = window.page.model
        shown = {str(model.index(0, place).data()).replace(",", "") for place in range(model.columnCount())}
        assert not [figure for figure in shown if len(figure) > 3 and figure.isdigit() and figure in text]

    def test_two_windows_and_a_command_lose_nothing(
        self, rig: WindowRig, user: User, window: WindowUnderTest
    ) -> None:
        path = rig.data_dir / "views.json"
        window.parts.saved_views.list.change(lambda views: add(views, new_view("First", MINE)))
        change_views(path, lambda views: add(views, new_view("Second", MINE)))
        window.parts.saved_views.list.change(lambda views: add(views, new_view("Third", MINE)))
        assert names(window)[5:] == ["First", "Second", "Third"]
        change_views(path, lambda views: views[5:])
        rig.settle(window, lambda: user.key(Qt.Key.Key_2, CONTROL))
        assert names(window) == ["First", "Second", "Third"]
        assert window.view == MINE

    @pytest.mark.parametrize("name", ["", " ", "who spends", "x" * 61, "a\u202eb"])
    def test_unusable_name_is_said_in_the_dialog(
        self, rig: WindowRig, user: User, window: WindowUnderTest, name: str
    ) -> None:
        window.commands.save_view.trigger()
        dialog = window.dialog
        user.activate(dialog)
        field = user.focus
        assert isinstance(field, QLineEdit)
        field.setText(name)
        user.key(Qt.Key.Key_Return)
        assert dialog.isVisible()
        assert dialog.problem_text
        assert len(names(window)) == 5

    def test_file_that_can_not_be_written_is_said(
        self, rig: WindowRig, user: User, window: WindowUnderTest
    ) -> None:
        (rig.data_dir / "views.json").mkdir()
        window.commands.save_view.trigger()
        user.activate(window.dialog)
        user.key(Qt.Key.Key_Return)
        assert "can't be saved" in window.dialog.problem_text


class TestList:
    def test_rename_and_reorder(self, user: User, window: WindowUnderTest) -> None:
        dialog = open_list(user, window)
        user.key(Qt.Key.Key_Down)
        user.key(Qt.Key.Key_Up, CONTROL)
        assert names(window)[:2] == ["Who spends", "This month by model"]
        user.key(Qt.Key.Key_F2)
        renaming = next(one for one in dialog.findChildren(RenameViewDialog) if one.isVisible())
        user.activate(renaming)
        user.type("<b>Spenders</b> &co")
        user.key(Qt.Key.Key_Return)
        assert names(window)[0] == "<b>Spenders</b> &co"
        item = dialog.items.topLevelItem(0)
        assert item is not None
        assert item.text(0) == "<b>Spenders</b> &co"
        assert window.commands.saved_view[0].text() == "<b>Spenders</b> &&co"

    def test_removed_view_comes_back(self, user: User, window: WindowUnderTest) -> None:
        dialog = open_list(user, window)
        user.key(Qt.Key.Key_Down)
        self._ask_to_remove(user, dialog)
        user.click(next(one for one in dialog.findChildren(RemoveViewDialog) if one.isVisible()).button)
        assert names(window) == [READY_MADE[0].name, *(one.name for one in READY_MADE[2:])]
        assert "Removed Who spends" in dialog.message.text()
        user.activate(dialog)
        user.key(Qt.Key.Key_Z, CONTROL)
        assert window.parts.saved_views.list.views == READY_MADE

    def test_view_is_updated_to_what_is_shown_and_back(
        self, rig: WindowRig, user: User, window: WindowUnderTest
    ) -> None:
        rig.show(window, MINE)
        dialog = open_list(user, window)
        user.click(dialog.buttons["update"])
        updated = window.parts.saved_views.list.views[0]
        assert (updated.name, open_view(updated).view) == (READY_MADE[0].name, MINE)
        user.click(dialog.undo)
        assert window.parts.saved_views.list.views == READY_MADE

    @pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape])
    def test_cancel_is_the_default_of_a_removal(self, user: User, window: WindowUnderTest, key: Qt.Key) -> None:
        dialog = open_list(user, window)
        removing = self._ask_to_remove(user, dialog)
        assert user.focus is removing.cancel
        user.key(key)
        assert not removing.isVisible()
        assert len(names(window)) == 5

    def test_enter_cancels_a_removal_where_buttons_take_no_focus(
        self, rig: WindowRig, user: User, window: WindowUnderTest
    ) -> None:
        removing = self._ask_to_remove(user, open_list(user, window))
        removing.cancel.clearFocus()  # as on macOS
        rig.qtbot.keyClick(removing, Qt.Key.Key_Return)
        assert not removing.isVisible()
        assert len(names(window)) == 5

    def _ask_to_remove(self, user: User, dialog: SavedViewsDialog) -> RemoveViewDialog:
        user.key(Qt.Key.Key_Delete)
        removing = next(one for one in dialog.findChildren(RemoveViewDialog) if one.isVisible())
        user.activate(removing)
        return removing

    def test_enter_shows_the_view(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        open_list(user, window)
        user.key(Qt.Key.Key_End)
        rig.settle(window, lambda: user.key(Qt.Key.Key_Return))
        assert window.findChildren(SavedViewsDialog) == []
        assert window.view == open_view(READY_MADE[4]).view
        user.activate(window)
        assert user.focus is window.page.table

    def test_exported_views_are_imported_elsewhere(
        self, user: User, window: WindowUnderTest, tmp_path: Path
    ) -> None:
        file = tmp_path / "shared.json"
        export_views(file, (new_view("Mine", MINE), READY_MADE[0]))
        dialog = open_list(user, window)
        dialog.import_from(file)
        assert dialog.message.text() == "Imported 2 views."
        assert names(window)[5:] == ["Mine", "This month by model (2)"]
        assert open_view(window.parts.saved_views.list.views[5]).view == MINE

    @pytest.mark.parametrize(
        ("content", "title"),
        [
            (b"\x00", "This file has no saved views"),
            (b'{"kind": "%s", "version": 1, "views": [' % KIND.encode(), "The file of saved views is damaged"),
            (b'{"kind": "%s", "version": 9}' % KIND.encode(), "The saved views were written by a newer version"),
            (b" " * 3_000_000, "The file of saved views is too large"),
        ],
    )
    def test_unusable_file_is_said_in_the_list(
        self, user: User, window: WindowUnderTest, tmp_path: Path, content: bytes, title: str
    ) -> None:
        (tmp_path / "shared.json").write_bytes(content)
        dialog = open_list(user, window)
        dialog.import_from(tmp_path / "shared.json")
        assert dialog.message.text().startswith(title)
        assert len(names(window)) == 5

    def test_damaged_list_is_said(self, rig: WindowRig, user: User, window: WindowUnderTest) -> None:
        (rig.data_dir / "views.json").write_text("{")
        dialog = open_list(user, window)
        assert "damaged" in dialog.message.text()
        window.parts.saved_views.list.change(lambda views: add(views, new_view("Mine", MINE)))
        assert load_views(rig.data_dir / "views.json").views[-1].name == "Mine"
        assert (rig.data_dir / "views.damaged.json").read_text() == "{"


def test_demo_neither_reads_nor_writes_the_saved_views(rig: WindowRig) -> None:
    context = rig.context()
    assert context.saved_views_path == rig.data_dir / "views.json"
    change_views(rig.data_dir / "views.json", lambda views: ())
    snapshot = rig.context(snapshot=rig.data_dir / "none.zip")
    assert snapshot.saved_views_path is None


@pytest.fixture(autouse=True)
def _close_dialogs(rig: WindowRig) -> object:
    yield
    for window in rig.windows:
        for dialog in window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.reject()
    return None
