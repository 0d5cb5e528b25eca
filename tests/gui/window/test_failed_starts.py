"""A start that can't read or write its data says so, harms nothing, and leads on."""

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


def test_a_data_directory_that_can_not_be_made(rig: WindowRig, user: User) -> None:
    rig.data_dir.write_text("a file, where a directory should be")
    window = _failed(rig)
    assert "written" in window.page.banner.error.title  # type: ignore[union-attr]
    assert window.isVisible()
    rig.data_dir.unlink()
    rig.settle(window, lambda: user.click(user.button("Retry", window.page.banner)))
    assert window.page.table.isVisible()
    assert not window.page.banner.isVisible()


def test_a_damaged_database_is_kept_aside_and_begun_anew(rig: WindowRig, user: User) -> None:
    database = ProfilePaths(rig.data_dir).database
    database.parent.mkdir(parents=True)
    database.write_bytes(b"this is no database" * 1000)
    window = _failed(rig)
    assert database.read_bytes().startswith(b"this is no database")
    rig.settle(window, lambda: user.click(user.button("Start anew", window.page.banner)))
    assert window.page.model.rowCount() > 5
    assert not window.page.banner.isVisible()
    aside = [path for path in database.parent.iterdir() if "damaged" in path.name]
    assert len(aside) == 1
    assert aside[0].read_bytes().startswith(b"this is no database")


def test_a_database_of_a_newer_version_is_left_alone(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.close(window)
    database = ProfilePaths(rig.data_dir).database
    with duckdb.connect(str(database)) as connection:
        connection.execute("UPDATE meta SET version = 99")
    held = database.read_bytes()
    window = _failed(rig)
    assert "newer version" in window.page.banner.accessibleName()
    labels = [button.text() for button in window.page.banner._buttons if button.isVisible()]
    assert "Start &anew" not in labels  # nothing is wrong with it
    assert database.read_bytes() == held
