"""Tests a database whose damage is found only when its usage is read."""

from pathlib import Path

from tests.rigs.window import User, WindowRig
from usage_viewer.app.profile.paths import ProfilePaths
from usage_viewer.domain.errors import StoreDamaged
from usage_viewer.store import Store

HEADERS, BLOCK = 3 * 4096, 256 * 1024


def _damage_unread_blocks(database: Path) -> bytes:
    """Damage each block that opening does not read; return the file."""
    good = database.read_bytes()
    damaged = bytearray(good)
    for begin in range(HEADERS, len(good), BLOCK):
        trial = bytearray(damaged)
        trial[begin + 100] ^= 0xFF
        database.write_bytes(trial)
        try:
            Store.open(database).close()
        except StoreDamaged:
            continue
        damaged = trial
    database.write_bytes(damaged)
    assert damaged != good
    return bytes(damaged)


def test_damage_found_while_reading_is_reported_and_repaired(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rows = window.page.model.rowCount()
    rig.close(window)
    database = ProfilePaths(rig.data_dir).database
    damaged = _damage_unread_blocks(database)
    window = rig.start()
    error = window.page.banner.error
    assert isinstance(error, StoreDamaged)
    assert "kept as a copy" in error.hint
    rig.settle(window, lambda: user.click(user.button("Start with an empty database", window.page.banner)))
    assert not window.page.banner.isVisible()
    assert window.page.model.rowCount() == rows
    (copy,) = [path for path in database.parent.iterdir() if "damaged" in path.name]
    assert copy.read_bytes() == damaged
    assert copy.stat().st_mode & 0o077 == 0
    rig.close(window)
    again = rig.start()
    assert again.page.model.rowCount() == rows
