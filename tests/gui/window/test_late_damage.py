"""A database whose damage shows only when its usage is read: said, kept aside, begun anew, fetched again."""

from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.store import Store

if TYPE_CHECKING:
    from tests.rigs.window import Desk, Hands

HEADERS, BLOCK = 3 * 4096, 256 * 1024


def _bend_what_opening_does_not_read(database: Path) -> bytes:
    """Damages each block that is not read when the file is opened; returns the file."""
    good = database.read_bytes()
    bent = bytearray(good)
    for begin in range(HEADERS, len(good), BLOCK):
        trial = bytearray(bent)
        trial[begin + 100] ^= 0xFF
        database.write_bytes(trial)
        try:
            Store.open(database).close()
        except StoreDamaged:
            continue
        bent = trial
    database.write_bytes(bent)
    assert bent != good
    return bytes(bent)


def test_is_said_and_the_way_out_is_offered(desk: "Desk", hands: "Hands") -> None:
    window = desk.start()
    rows = window.page.model.rowCount()
    desk.close(window)
    database = ProfilePaths(desk.data_dir).database
    bent = _bend_what_opening_does_not_read(database)
    window = desk.start()
    error = window.page.banner.error
    assert isinstance(error, StoreDamaged)
    assert "kept as a copy" in error.hint
    desk.settle(window, lambda: hands.click(hands.button("Start anew", window.page.banner)))
    assert not window.page.banner.isVisible()
    assert window.page.model.rowCount() == rows
    (aside,) = [path for path in database.parent.iterdir() if "damaged" in path.name]
    assert aside.read_bytes() == bent
    assert aside.stat().st_mode & 0o077 == 0
    desk.close(window)
    again = desk.start()
    assert again.page.model.rowCount() == rows
