"""Tests adding, switching, combining, renaming and removing organizations with two servers and two keys."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from tests.rigs.keys import key_scope
from tests.rigs.sample_organization import sample_organization
from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.app.fetch.api_source import ConnectionOptions
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.app.profile.profile import Profile
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import FigureColumn, GroupColumn
from usage_viewer.gui.sources.organization_dialogs import AddDialog, CombineDialog, RemoveDialog, RenameDialog
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.keystore import Keystore, MemoryKeystore, open_keystore

if TYPE_CHECKING:
    from tests.rigs.secret_service import SecretService

SECOND_KEY = "sk-admin-second-second-second-second-second"


@pytest.fixture
def second(rig: WindowRig) -> Iterator[DemoServer]:
    """Serve another organization on its own server with its own key."""
    other = sample_organization(rig.clock(), seed=2)
    with DemoServer(other, key=SECOND_KEY) as running:
        running.clock = rig.clock
        yield running


@pytest.fixture
def with_second(rig: WindowRig, second: DemoServer) -> WindowRig:
    """Let the window build the second organization's profile, with its key in memory."""
    rig.others["umbrella"] = _other(rig, second, lambda: MemoryKeystore(AdminKey.parse(SECOND_KEY)))
    return rig


def _other(rig: WindowRig, server: DemoServer, keystore: Callable[[], Keystore]) -> Callable[[str], Profile]:
    return lambda label: Profile(
        "umbrella",
        label=label,
        base_url=server.base_url,
        database=ProfilePaths(rig.data_dir, "umbrella").database,
        keystore=keystore,
        clock=rig.clock,
        connection=ConnectionOptions(wait=lambda seconds: False),  # retries at once
    )


def _own(rig: WindowRig, server_key: str) -> Callable[[str], Profile]:
    key = AdminKey.parse(server_key)
    return lambda label: Profile(
        "default",
        label=label,
        base_url=rig.server.base_url,
        database=ProfilePaths(rig.data_dir).database,
        keystore=lambda: MemoryKeystore(key),
        clock=rig.clock,
    )


def _dialog(window: WindowUnderTest, kind: type[FormDialog]) -> FormDialog:
    return next(one for one in window.findChildren(kind) if one.isVisible())


def _total(window: WindowUnderTest, name: str = "input_tokens") -> int:
    column = window.page.model.table.by_name[name]
    assert isinstance(column, FigureColumn)
    assert isinstance(column.total, int)
    return column.total


def _add_umbrella(rig: WindowRig, window: WindowUnderTest) -> None:
    window.organizations.ask_to_add()
    dialog = _dialog(window, AddDialog)
    assert isinstance(dialog, AddDialog)
    rig.qtbot.keyClicks(dialog.name, "Umbrella")
    rig.settle(window, dialog.button.click)


@pytest.fixture
def both(with_second: WindowRig) -> WindowUnderTest:
    """Open a window with both organizations that shows the second one."""
    with_second.others["default"] = _own(with_second, with_second.server.key)
    window = with_second.start()
    _add_umbrella(with_second, window)
    return window


@pytest.mark.secret_service
def test_each_organization_has_its_own_key_data_and_server(
    rig: WindowRig,
    second: DemoServer,
    qtbot: QtBot,
    secret_service: "SecretService",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret_service.use(monkeypatch)
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    rig.others["umbrella"] = _other(rig, second, lambda: open_keystore(key_scope("umbrella")))
    rig.others["default"] = lambda label: rig.profile(lambda: open_keystore(key_scope("default")))
    open_keystore(key_scope("default")).save(AdminKey.parse(rig.server.key))
    window = rig.start(lambda: open_keystore(key_scope("default")))
    assert not window.page.organization.isVisible()
    first = _total(window)

    window.organizations.ask_to_add()
    dialog = _dialog(window, AddDialog)
    assert isinstance(dialog, AddDialog)
    dialog.button.click()
    assert "name is missing" in dialog.problem_text
    qtbot.keyClicks(dialog.name, "Umbrella")
    dialog.button.click()
    qtbot.waitUntil(window.key_page.isVisible)
    field = window.key_page.findChild(QLineEdit)
    assert field is not None
    qtbot.keyClicks(field, SECOND_KEY)
    rig.settle(window, lambda: qtbot.keyClick(field, Qt.Key.Key_Return))
    assert window.page.organization.isVisible()
    assert window.page.organization.choice == "Umbrella"
    assert "Umbrella" in window.windowTitle()
    assert _total(window) != first
    assert ProfilePaths(rig.data_dir, "umbrella").database.exists()

    rig.settle(window, lambda: window.organizations.choose("default"))
    assert _total(window) == first
    first_key, second_key = (open_keystore(key_scope(name)).load() for name in ("default", "umbrella"))
    assert first_key == AdminKey.parse(rig.server.key)
    assert second_key == AdminKey.parse(SECOND_KEY)

    rig.settle(window, lambda: window.organizations.choose("umbrella"))
    window.organizations.ask_to_remove()
    removing = _dialog(window, RemoveDialog)
    assert isinstance(removing, RemoveDialog)
    with qtbot.waitSignal(window.organizations.reported, timeout=10_000):
        removing.key.setChecked(True)
        removing.typed.setText(removing.to_type)
        removing.button.click()
    qtbot.waitUntil(lambda: window.page.model.table.rows > 0 and _total(window) == first)
    assert open_keystore(key_scope("umbrella")).load() is None
    assert open_keystore(key_scope("default")).load() == first_key
    assert not ProfilePaths(rig.data_dir, "umbrella").directory.exists()
    assert not window.page.organization.isVisible()


def test_combined_sums_are_the_sums_of_both(with_second: WindowRig, both: WindowUnderTest, qtbot: QtBot) -> None:
    rig, window = with_second, both
    workspace = window.workspace
    umbrella = _total(window)
    rig.settle(window, lambda: window.organizations.choose("default"))
    default = _total(window)

    window.organizations.ask_to_combine()
    dialog = _dialog(window, CombineDialog)
    assert isinstance(dialog, CombineDialog)
    dialog.boxes["default"].setChecked(False)
    dialog.button.click()
    assert "at least two" in dialog.problem_text
    dialog.boxes["default"].setChecked(True)
    rig.settle(window, dialog.button.click)
    assert _total(window) == default + umbrella
    assert window.page.status.text.startswith("Complete: 30 days, 2 organizations")
    assert window.page.organization.choice == "All organizations"

    chip = window.page.grouping.chips["profile"]
    rig.settle(window, lambda: qtbot.mouseClick(chip, Qt.MouseButton.LeftButton))
    rig.settle(window, lambda: workspace.show_view(workspace.view.with_grouping(["profile"])))
    column = window.page.model.table.by_name["profile"]
    figures = window.page.model.table.by_name["input_tokens"]
    assert isinstance(column, GroupColumn)
    assert isinstance(figures, FigureColumn)
    shown = {column.labels[code]: figures.figures.at(row) for row, code in enumerate(column.codes.tolist())}
    assert shown == {"My organization": default, "Umbrella": umbrella}

    rig.settle(window, lambda: workspace.show_view(workspace.view.only("profile", "umbrella")))
    assert _total(window) == umbrella
    rig.settle(
        window,
        lambda: workspace.show_view(
            workspace.view.without_filters().with_per(Granularity.WEEK).with_grouping(["profile", "project_id"])
        ),
    )
    with qtbot.waitSignal(window.copying.done):
        window.commands.copy.trigger()
    lines = [line.split("\t") for line in QApplication.clipboard().text().splitlines()]
    assert lines[0][1:3] == ["Organization", "Project"]
    assert {line[1] for line in lines[1:]} == {"My organization", "Umbrella"}
    assert sum(int(line[4]) for line in lines[1:]) == default + umbrella
    assert not any(line[2].startswith("proj_") for line in lines[1:])  # names of both

    assert not window.commands.erase.isEnabled()
    assert not window.commands.save_snapshot.isEnabled()
    rig.settle(window, lambda: window.organizations.choose("default"))
    assert "profile" not in workspace.view.grouping
    assert "profile" not in window.page.grouping.chips
    assert _total(window) == default


def test_renaming_keeps_the_files(with_second: WindowRig, both: WindowUnderTest) -> None:
    window = both
    window.organizations.ask_to_rename()
    dialog = _dialog(window, RenameDialog)
    assert isinstance(dialog, RenameDialog)
    dialog.name.setText("My organization")
    dialog.button.click()
    assert "Another organization has this name" in dialog.problem_text
    dialog.name.setText("Umbrella & Sons")
    dialog.button.click()
    assert window.page.organization.choice == "Umbrella & Sons"
    assert "Umbrella & Sons" in window.windowTitle()
    assert ProfilePaths(with_second.data_dir, "umbrella").database.exists()
    assert [one.id for one in window.organizations.listed] == ["default", "umbrella"]


def test_last_organization_is_stored(with_second: WindowRig, both: WindowUnderTest) -> None:
    from usage_viewer.app.settings.settings import load

    with_second.close(both)
    settings = load(ProfilePaths(with_second.data_dir).settings)
    assert [(one.id, one.label) for one in settings.organizations] == [
        ("default", "My organization"),
        ("umbrella", "Umbrella"),
    ]
    assert settings.organization == "umbrella"
    assert SECOND_KEY not in ProfilePaths(with_second.data_dir).settings.read_text()


def test_failing_organization_is_named_and_the_other_is_shown(
    with_second: WindowRig, both: WindowUnderTest, second: DemoServer
) -> None:
    rig, window = with_second, both
    umbrella = _total(window)
    rig.clock.ahead = 600  # buckets that may have grown are requested again
    second.__exit__(None, None, None)
    rig.settle(window, lambda: window.organizations.combine(("default", "umbrella")))
    assert window.page.banner.error is not None
    assert window.page.banner.error.title.startswith("Umbrella: ")
    assert _total(window) > umbrella


def test_organization_without_a_key_is_named(
    with_second: WindowRig, both: WindowUnderTest, second: DemoServer
) -> None:
    rig, window = with_second, both
    rig.others["umbrella"] = _other(rig, second, MemoryKeystore)
    rig.clock.ahead = 600
    rig.settle(window, lambda: window.organizations.combine(("default", "umbrella")))
    assert window.page.banner.error is not None
    assert window.page.banner.error.title == "Umbrella: No admin key"


def test_same_key_twice_is_refused(with_second: WindowRig, both: WindowUnderTest) -> None:
    rig, window = with_second, both
    same = AdminKey.parse(rig.server.key)
    rig.others["umbrella"] = _other(rig, rig.server, lambda: MemoryKeystore(same))
    window.organizations.combine(("default", "umbrella"))
    rig.qtbot.waitUntil(window.page.banner.isVisible)
    assert window.page.banner.error is not None
    assert "same key" in window.page.banner.error.title
    badge = window.page.status.badge
    assert not badge.isVisible()  # it claims nothing under an empty window
    assert not badge.text().startswith("Verified")
    rig.settle(window, lambda: window.organizations.choose("default"))
    assert badge.isVisible()
    assert badge.text().startswith("Verified ")


def test_verified_stays_verified_after_a_change_of_organization(
    with_second: WindowRig, both: WindowUnderTest, second: DemoServer
) -> None:
    rig, window = with_second, both
    badge = window.page.status.badge
    assert badge.text().startswith("Verified ")
    for id in ("default", "umbrella"):
        rig.server.requests.clear()
        second.requests.clear()
        rig.settle(window, lambda id=id: window.organizations.choose(id))  # type: ignore[misc]
        assert badge.text().startswith("Verified ")
        asked = [*rig.server.requests, *second.requests]
        assert not [request for request in asked if "start_time" in request.query], "it was verified again"


def test_removed_organization_can_keep_its_data(with_second: WindowRig, both: WindowUnderTest) -> None:
    rig, window = with_second, both
    with rig.qtbot.waitSignal(window.organizations.reported, timeout=10_000):
        window.organizations.remove("umbrella", data=False, key=False)
    assert ProfilePaths(rig.data_dir, "umbrella").database.exists()
    rig.qtbot.waitUntil(lambda: window.page.model.table.rows > 0)


def test_menu_offers_all_commands(with_second: WindowRig, both: WindowUnderTest) -> None:
    menu = both.organizations.menu
    offered = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    assert offered == {
        "&1 My organization": True,
        "&2 Umbrella": True,
        "&Combine…": True,
        "&Add…": True,
        "&Rename…": True,
        "Re&move…": True,
    }
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["&2 Umbrella"]
