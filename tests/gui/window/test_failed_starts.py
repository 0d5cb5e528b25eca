"""A start that can't read or write its data says so, harms nothing, and leads on."""

from typing import TYPE_CHECKING

import duckdb

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.gui.window.main_window import MainWindow

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands


def _failed(desk: "Desk") -> MainWindow:
    window = desk.start()
    assert window.page.banner.isVisible()
    assert window.page.banner.error is not None
    assert window.page.banner.error.hint
    assert "Traceback" not in window.page.banner.accessibleName()
    return window


def test_a_data_directory_that_can_not_be_made(desk: "Desk", hands: "Hands") -> None:
    desk.data_dir.write_text("a file, where a directory should be")
    window = _failed(desk)
    assert "written" in window.page.banner.error.title  # type: ignore[union-attr]
    assert window.isVisible()
    desk.data_dir.unlink()
    desk.settle(window, lambda: hands.click(hands.button("Retry", window.page.banner)))
    assert window.page.table.isVisible()
    assert not window.page.banner.isVisible()


def test_a_damaged_database_is_kept_aside_and_begun_anew(desk: "Desk", hands: "Hands") -> None:
    database = ProfilePaths(desk.data_dir).database
    database.parent.mkdir(parents=True)
    database.write_bytes(b"this is no database" * 1000)
    window = _failed(desk)
    assert database.read_bytes().startswith(b"this is no database")
    desk.settle(window, lambda: hands.click(hands.button("Start anew", window.page.banner)))
    assert window.page.model.rowCount() > 5
    assert not window.page.banner.isVisible()
    aside = [path for path in database.parent.iterdir() if "damaged" in path.name]
    assert len(aside) == 1
    assert aside[0].read_bytes().startswith(b"this is no database")


def test_a_database_of_a_newer_version_is_left_alone(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    desk.close(window)
    database = ProfilePaths(desk.data_dir).database
    with duckdb.connect(str(database)) as connection:
        connection.execute("UPDATE meta SET version = 99")
    held = database.read_bytes()
    window = _failed(desk)
    assert "newer version" in window.page.banner.accessibleName()
    labels = [button.text() for button in window.page.banner._buttons if button.isVisible()]
    assert "Start &anew" not in labels  # nothing is wrong with it
    assert database.read_bytes() == held
