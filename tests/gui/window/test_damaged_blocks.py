"""Tests a database whose damage is found only when its usage is read."""

from pathlib import Path

import duckdb
from pytestqt.qtbot import QtBot

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


def test_damage_that_only_digests_show_hides_the_table(rig: WindowRig, user: User, qtbot: QtBot) -> None:
    """The figures of a row were changed: nothing but the digest of its bucket tells."""
    window = rig.start()
    view, rows = window.view, window.page.model.rowCount()
    rig.close(window)
    database = ProfilePaths(rig.data_dir).database
    with duckdb.connect(str(database)) as connection:
        connection.execute("UPDATE usage_completions_1d SET input_tokens = input_tokens * 2")
    window = rig.start(wait=False)
    qtbot.waitUntil(lambda: isinstance(window.page.banner.error, StoreDamaged), timeout=15_000)
    assert not window.page.table.isVisible()
    window.workspace.reload()
    qtbot.waitUntil(lambda: not window.tasks.busy("look"), timeout=15_000)
    assert not window.page.table.isVisible(), "a damaged database answers nothing more"
    rig.settle(window, lambda: user.click(user.button("Start with an empty database", window.page.banner)))
    assert window.page.table.isVisible()
    assert (window.view, window.page.model.rowCount()) == (view, rows)


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
