"""Puts any value anywhere into the kept files: the window starts, and all other settings are kept."""

import json
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from tests.rigs.json_places import changed, places
from tests.rigs.window import WindowRig, WindowUnderTest
from usage_viewer.app.settings.startup_table import startup_table_path, take_startup_table
from usage_viewer.app.snapshot.archive import SnapshotProfile, save_snapshot
from usage_viewer.app.snapshot.manifest import FILE
from usage_viewer.domain.errors import SnapshotError

VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 1.5, 2**31, 2**63, 10**400, 1e308, "", "A", "\ud800", "\x00", "../..", "x" * 100_000,
    [], [None], [[]], {}, {"a": None}, "9999-12-31T00:00:00", "0001-01-01T00:00:00",
)  # fmt: skip


class Kept:
    """A file that a window keeps, and starts with damaged copies of it."""

    def __init__(self, rig: WindowRig, *, last_look: bool) -> None:
        self.rig, self.last_look = rig, last_look
        window = rig.start()
        rig.show(window, window.view.only("batch", "false"))
        window.commands.bars.trigger()
        rig.close(window)
        self.path: Path = startup_table_path(rig.paths) if last_look else rig.paths.settings
        self.content = json.loads(self.path.read_bytes())
        self.places = list(places(self.content))

    def start(self, place: tuple[Any, ...], value: Any) -> None:
        """Start with a value at a place: the window is painted or shows the table."""
        self.path.write_text(json.dumps(changed(self.content, place, value)), encoding="utf-8")
        if self.last_look:
            stored = take_startup_table(self.rig.paths, self.rig.clock)
            if stored is None:
                return
            window = WindowUnderTest(stored)
            self.rig.qtbot.addWidget(window)
            window.show()
            self.rig.qtbot.waitUntil(lambda: window.painted, timeout=5000)
            window.close()
        else:
            self.rig.close(self.rig.start())


@pytest.mark.parametrize("last_look", [False, True])
def test_window_starts_with_any_value_in_a_kept_file(rig: WindowRig, *, last_look: bool) -> None:
    random, kept = Random(7), Kept(rig, last_look=last_look)
    for _ in range(40 if last_look else 8):
        kept.start(random.choice(kept.places), random.choice(VALUES))


@pytest.mark.fuzz
@pytest.mark.parametrize("last_look", [False, True])
def test_window_starts_with_hundreds_of_damaged_files(rig: WindowRig, *, last_look: bool) -> None:
    kept = Kept(rig, last_look=last_look)
    cases = [(place, value) for place in kept.places for value in VALUES]
    for place, value in Random(8).sample(cases, min(500, len(cases))):
        kept.start(place, value)


@pytest.mark.parametrize("geometry", ["A", "====", "\ud800", "x" * 100_000, "AdnQywADAAD/////"])
def test_damaged_geometry_costs_the_geometry_alone(rig: WindowRig, geometry: str) -> None:
    kept = Kept(rig, last_look=False)
    kept.path.write_text(json.dumps({**kept.content, "geometry": geometry}))
    window = rig.start()
    assert window.view.filter_on("batch") is not None


class SavedSnapshot:
    """A snapshot's folder, and a window that opens it with damaged manifests."""

    def __init__(self, rig: WindowRig, folder: Path) -> None:
        self.rig, self.folder = rig, folder
        self.window = rig.start()
        session = self.window.workspace.store_session
        assert session is not None
        save_snapshot(session, self.window.view, folder, organization="Acme")
        self.content = json.loads((folder / FILE).read_bytes())
        self.places = list(places(self.content))

    def open(self, place: tuple[Any, ...], value: Any) -> None:
        """Open with a value at a place of the manifest: the window shows the snapshot, or says what is wrong."""
        window, text = self.window, json.dumps(changed(self.content, place, value))
        (self.folder / FILE).write_text(text, encoding="utf-8")
        self.rig.settle(window, lambda: window.snapshots.open(self.folder))
        error = window.page.banner.error
        if error is None:
            assert isinstance(window.workspace.profile, SnapshotProfile)
            assert window.page.model.table.rows or place[0] == "view"  # a search, for example, hides all rows
        else:
            assert isinstance(error, SnapshotError)
            assert error.title
            assert error.hint
        self.rig.settle(window, window.source.open_own)
        assert window.page.model.table.rows


def test_window_survives_any_value_in_a_manifest(rig: WindowRig, tmp_path: Path) -> None:
    random, saved = Random(9), SavedSnapshot(rig, tmp_path / "snapshot")
    for _ in range(15):
        saved.open(random.choice(saved.places), random.choice(VALUES))


@pytest.mark.fuzz
def test_window_survives_hundreds_of_damaged_manifests(rig: WindowRig, tmp_path: Path) -> None:
    saved = SavedSnapshot(rig, tmp_path / "snapshot")
    cases = [(place, value) for place in saved.places for value in VALUES]
    for place, value in Random(10).sample(cases, min(400, len(cases))):
        saved.open(place, value)
