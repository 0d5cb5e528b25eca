"""Tests starts that can't read or write their data: reported, without harm, with a way to continue."""

import duckdb

from tests.rigs.window import User, WindowRig, WindowUnderTest
from usage_viewer.app.profile.paths import ProfilePaths


def _failed(rig: WindowRig) -> WindowUnderTest:
    window = rig.start()
    assert window.page.banner.isVisible()
    assert window.page.banner.error is not None
    assert window.page.banner.error.hint
    assert "Traceback" not in window.page.banner.accessibleName()
    return window


def test_data_directory_that_cannot_be_created(rig: WindowRig, user: User) -> None:
    rig.data_dir.write_text("a file, where a directory should be")
    window = _failed(rig)
    assert "written" in window.page.banner.error.title  # type: ignore[union-attr]
    assert window.isVisible()
    rig.data_dir.unlink()
    rig.settle(window, lambda: user.click(user.button("Retry", window.page.banner)))
    assert window.page.table.isVisible()
    assert not window.page.banner.isVisible()


def test_damaged_database_is_copied_and_replaced(rig: WindowRig, user: User) -> None:
    database = ProfilePaths(rig.data_dir).database
    database.parent.mkdir(parents=True)
    database.write_bytes(b"this is no database" * 1000)
    window = _failed(rig)
    assert database.read_bytes().startswith(b"this is no database")
    rig.settle(window, lambda: user.click(user.button("Start with an empty database", window.page.banner)))
    assert window.page.model.rowCount() > 5
    assert not window.page.banner.isVisible()
    aside = [path for path in database.parent.iterdir() if "damaged" in path.name]
    assert len(aside) == 1
    assert aside[0].read_bytes().startswith(b"this is no database")


def test_database_of_a_newer_version_is_not_changed(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.close(window)
    database = ProfilePaths(rig.data_dir).database
    with duckdb.connect(str(database)) as connection:
        connection.execute("UPDATE meta SET version = 99")
    content = database.read_bytes()
    window = _failed(rig)
    assert "newer version" in window.page.banner.accessibleName()
    labels = [button.text() for button in window.page.banner._buttons if button.isVisible()]
    assert "Start with an &empty database" not in labels  # it is not damaged
    assert database.read_bytes() == content
