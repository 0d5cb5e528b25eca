"""Snapshots are saved and opened; foreign, damaged, too large or hostile files are refused."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.sample_organization import sample_organization
from tests.rigs.sessions import NOW, open_store_session
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.app.snapshot.archive import SnapshotProfile, peek, save_snapshot, unpack
from usage_viewer.app.snapshot.manifest import FILE, Manifest
from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.date_range import DateRange, Preset
from usage_viewer.domain.errors import (
    Cancelled,
    ExportError,
    KeyMissing,
    NotASnapshot,
    SnapshotDamaged,
    SnapshotError,
    SnapshotNewer,
    SnapshotTooLarge,
)
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.table import Table
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.keystore import MemoryKeystore

VIEW = ViewState(
    range=DateRange(Preset.LAST_7_DAYS),
    per=Granularity.DAY,
    grouping=("project_id", "model"),
    filters=(Filter("batch", frozenset(["true"]), exclude=True),),
    search="not kept",
)
EVERYTHING = VIEW.without_filters()


@pytest.fixture(scope="module")
def session() -> Iterator[StoreSession]:
    """A session with a week of three datasets, fetched from the stand-in server."""
    key = AdminKey.parse(ADMIN_KEY)
    with DemoServer(sample_organization(NOW), key=ADMIN_KEY, clock=lambda: NOW) as server:
        profile = Profile(
            "default",
            base_url=server.base_url,
            database=None,
            keystore=lambda: MemoryKeystore(key),
            clock=lambda: NOW,
        )
        with closing(open_store_session(profile)) as opened:
            opened.connect(profile.source(key))
            opened.fetch_names()
            for name in ("completions", "costs", "vector_stores"):
                for _ in opened.fetch(EVERYTHING.with_dataset(name)):
                    pass
            opened.connect(None)
            yield opened


@pytest.fixture(scope="module")
def snapshot(session: StoreSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "week.zip"
    save_snapshot(session, VIEW, path, organization="Acme")
    return path


@pytest.fixture
def folder(snapshot: Path, tmp_path: Path) -> Path:
    """The snapshot as a folder."""
    unpacked = tmp_path / "week"
    with zipfile.ZipFile(snapshot) as packed:
        packed.extractall(unpacked)
    return unpacked


def _rows(table: Table) -> list[object]:
    heads = [
        [column.labels[index] for index in (column.index if hasattr(column, "index") else column.codes).tolist()]
        for column in table.heads
    ]
    figures = [column.figures.listed() for column in table.figures]
    return sorted(zip(*heads, *figures, strict=True), key=repr)


def _opened(path: Path) -> StoreSession:
    return open_store_session(SnapshotProfile(path))


@pytest.mark.parametrize("form", ["zip", "folder", "manifest"])
def test_snapshot_gives_the_same_table(form: str, session: StoreSession, snapshot: Path, folder: Path) -> None:
    path = {"zip": snapshot, "folder": folder, "manifest": folder / FILE}[form]
    with closing(_opened(path)) as opened:
        for name in ("completions", "costs", "vector_stores"):
            view = EVERYTHING.with_dataset(name)
            before, after = session.look(view), opened.look(view)
            assert _rows(after.table) == _rows(before.table)
            assert after.table.rows > 0
            assert after.coverage.summary == "Complete: 7 days"
        assert not opened.connected
        assert "embeddings" in opened.unavailable_datasets
        assert "completions" not in opened.unavailable_datasets
        nothing = opened.look(EVERYTHING.with_dataset("embeddings")).coverage
        assert (nothing.stored, nothing.expected) == (0, 7)
        with pytest.raises(KeyMissing):
            list(opened.fetch(EVERYTHING.with_dataset("embeddings")))


def test_clock_of_a_snapshot_stands_still(snapshot: Path, session: StoreSession) -> None:
    profile = SnapshotProfile(snapshot)
    with closing(profile.open_session()) as opened:
        assert opened.now == profile.manifest.moment
        assert abs(opened.now - session.now) < 60
        assert opened.coverage(VIEW).periods.span == session.coverage(VIEW).periods.span


def test_manifest_describes_the_content(snapshot: Path) -> None:
    manifest = peek(snapshot)
    assert manifest.organization == "Acme"
    assert manifest.shown == VIEW.with_search("")
    assert manifest.datasets == ("spend", "costs", "completions", "vector_stores")
    assert manifest.columns["completions.parquet"]["input_tokens"].startswith("BIGINT. Input: tokens.")
    with zipfile.ZipFile(snapshot) as packed:
        assert set(packed.namelist()) == {FILE, *manifest.files}
        assert ADMIN_KEY.encode() not in b"".join(packed.read(name) for name in packed.namelist())


def test_folder_is_replaced_completely(session: StoreSession, tmp_path: Path) -> None:
    path = tmp_path / "saved here"
    save_snapshot(session, VIEW, path)
    (path / "held.parquet").write_bytes(b"")
    save_snapshot(session, VIEW, path)
    with closing(_opened(path)) as opened:
        assert not opened.empty
    assert [item.name for item in tmp_path.iterdir()] == ["saved here"]


def test_folder_that_is_no_snapshot_is_not_replaced(session: StoreSession, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    with pytest.raises(ExportError, match="already used"):
        save_snapshot(session, VIEW, tmp_path / "letters")
    assert (tmp_path / "letters" / "dear.txt").read_text() == "dear"


def test_failed_save_leaves_no_file(session: StoreSession, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="folder is gone"):
        save_snapshot(session, VIEW, tmp_path / "no" / "where.zip")
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(Cancelled):
        save_snapshot(session, VIEW, tmp_path / "never.zip", cancellation=cancel)
    assert list(tmp_path.iterdir()) == []


def test_snapshot_of_a_snapshot_keeps_the_time_of_saving(snapshot: Path, tmp_path: Path) -> None:
    with closing(_opened(snapshot)) as opened:
        save_snapshot(opened, VIEW.with_range(DateRange(Preset.YESTERDAY)), tmp_path / "day.zip")
        assert peek(tmp_path / "day.zip").saved_at == peek(snapshot).saved_at
    with closing(_opened(tmp_path / "day.zip")) as day:
        assert day.look(EVERYTHING).coverage.summary == "1 of 7 days loaded"


def _changed(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    stored = json.loads((folder / FILE).read_text())
    change(stored)
    (folder / FILE).write_text(json.dumps(stored))


def _spoil(folder: Path) -> None:
    content = bytearray((folder / "completions.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "completions.parquet").write_bytes(content)


FAULTS: dict[str, tuple[type[SnapshotError], Callable[[Path], object]]] = {
    "one bit": (SnapshotDamaged, _spoil),
    "a file is missing": (SnapshotDamaged, lambda folder: (folder / "held.parquet").unlink()),
    "no manifest": (NotASnapshot, lambda folder: (folder / FILE).unlink()),
    "not JSON": (NotASnapshot, lambda folder: (folder / FILE).write_text("{")),
    "deep JSON": (NotASnapshot, lambda folder: (folder / FILE).write_text("[" * 100_000)),
    "another program's": (NotASnapshot, lambda folder: (folder / FILE).write_text('{"format": "other"}')),
    "newer": (SnapshotNewer, lambda folder: _changed(folder, lambda stored: stored.update(version=2))),
    "saved in the year 9999": (
        SnapshotDamaged,
        lambda folder: _changed(folder, lambda stored: stored.update(saved_at="9999-12-31T23:59:59Z")),
    ),
    "a range from the year 1 on": (
        SnapshotDamaged,
        lambda folder: _changed(folder, lambda stored: stored.update(start="0001-01-01T00:00:00Z")),
    ),
    "no times": (SnapshotDamaged, lambda folder: _changed(folder, lambda stored: stored.pop("saved_at"))),
    "a time without a zone": (
        SnapshotDamaged,
        lambda folder: _changed(folder, lambda stored: stored.update(start="2026-01-01T00:00:00")),
    ),
    "a file elsewhere": (
        SnapshotDamaged,
        lambda folder: _changed(
            folder,
            lambda stored: stored.update(files={"../x.parquet": {"rows": 1, "bytes": 1, "sha256": ""}}),
        ),
    ),
}


@pytest.mark.parametrize(("kind", "damage"), FAULTS.values(), ids=FAULTS)
def test_damaged_or_foreign_folder_is_refused(
    kind: type[SnapshotError], damage: Callable[[Path], object], folder: Path
) -> None:
    damage(folder)
    with pytest.raises(kind) as raised:
        _opened(folder)
    assert raised.value.hint


def _zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name",
    ["../held.parquet", "/etc/held.parquet", "a/b/held.parquet", "..\\held.parquet", "run.sh", "C:held.parquet"],
)
def test_names_outside_the_folder_are_refused(name: str, tmp_path: Path, folder: Path) -> None:
    path = _zip(tmp_path / "x.zip", {FILE: (folder / FILE).read_bytes(), name: b"PAR1"})
    with pytest.raises(NotASnapshot):
        _opened(path)
    assert not (tmp_path.parent / "held.parquet").exists()


def test_zip_with_the_folder_is_accepted(folder: Path, tmp_path: Path) -> None:
    files = {f"week/{path.name}": path.read_bytes() for path in folder.iterdir()}
    with closing(_opened(_zip(tmp_path / "again.zip", files))) as opened:
        assert opened.look(EVERYTHING).coverage.complete
    upward = {f"../{path.name}": path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(NotASnapshot):
        _opened(_zip(tmp_path / "up.zip", upward))


def manifest_with(folder: Path, **changed: object) -> dict[str, object]:
    """Return the snapshot's manifest with the entry of held.parquet changed."""
    manifest: dict[str, Any] = json.loads((folder / FILE).read_bytes())
    manifest["files"]["held.parquet"].update(changed)
    return manifest


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_archive_over_the_size_limit_is_refused(tmp_path: Path, folder: Path) -> None:
    manifest = json.dumps(manifest_with(folder, bytes=3_000_000)).encode()
    path = _zip(tmp_path / "x.zip", {**files_of(folder), FILE: manifest, "held.parquet": bytes(3_000_000)})
    with pytest.raises(SnapshotTooLarge):
        unpack(path, _made(tmp_path / "out"), most_bytes=2_000_000)
    assert list((tmp_path / "out").iterdir()) == []
    many = _zip(tmp_path / "many.zip", {FILE: b"{}"} | {f"f{number}.parquet": b"" for number in range(70)})
    with pytest.raises(NotASnapshot, match="71 files"):
        _opened(many)


def test_file_that_the_manifest_does_not_name_is_not_unpacked(tmp_path: Path, folder: Path) -> None:
    bomb = {"completions@user_id.parquet": bytes(30_000_000), "bomb.parquet": bytes(30_000_000)}
    path = _zip(tmp_path / "x.zip", {**files_of(folder), **bomb})
    unpack(path, _made(tmp_path / "out"))
    assert {item.name for item in (tmp_path / "out").iterdir()} == files_of(folder).keys()
    with closing(_opened(path)) as opened:
        assert opened.look(EVERYTHING).coverage.complete


def test_file_that_the_manifest_does_not_name_is_not_read(tmp_path: Path, folder: Path) -> None:
    manifest = json.loads((folder / FILE).read_bytes())
    del manifest["files"]["completions.parquet"]
    (folder / FILE).write_text(json.dumps(manifest))
    with pytest.raises(SnapshotDamaged, match=r"completions\.parquet is missing"):
        _opened(folder)


def test_file_of_another_size_than_the_manifest_says_is_not_unpacked(tmp_path: Path, folder: Path) -> None:
    path = _zip(tmp_path / "x.zip", {**files_of(folder), "held.parquet": bytes(30_000_000)})
    with pytest.raises(SnapshotDamaged, match=r"held\.parquet"):
        unpack(path, _made(tmp_path / "out"))
    assert sum(item.stat().st_size for item in (tmp_path / "out").iterdir()) < 2_000_000


def test_false_declared_size_is_detected(tmp_path: Path, folder: Path) -> None:
    manifest = json.dumps(manifest_with(folder, bytes=1000)).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(FILE, manifest)
        packed.writestr("held.parquet", bytes(3_000_000))
    content = archive.getvalue().replace((3_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(SnapshotError):
        unpack(path, _made(tmp_path / "out"))
    unpacked = tmp_path / "out" / "held.parquet"
    assert not unpacked.exists() or unpacked.stat().st_size <= 1000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"organization": "x" * 5000}, "5000 characters"),
        ({"files": {f"f{n}.parquet": {"rows": 1, "bytes": 1, "sha256": ""} for n in range(70)}}, "70 files"),
        ({"files": {"held.parquet": {"rows": 1, "bytes": -1, "sha256": ""}}}, "bytes"),
    ],
)
def test_manifest_out_of_bounds_is_refused(folder: Path, changes: dict[str, object], words: str) -> None:
    manifest = json.loads((folder / FILE).read_bytes()) | changes
    (folder / FILE).write_text(json.dumps(manifest))
    with pytest.raises(SnapshotDamaged, match=words):
        SnapshotProfile(folder)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_other_files_are_refused(tmp_path: Path, snapshot: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(NotASnapshot):
        SnapshotProfile(tmp_path / "notes.txt")
    with pytest.raises(NotASnapshot):
        SnapshotProfile(tmp_path)
    with pytest.raises(SnapshotError, match="was not found"):
        SnapshotProfile(tmp_path / "gone.zip")
    (tmp_path / "short.zip").write_bytes(snapshot.read_bytes()[:5000])
    with pytest.raises(SnapshotDamaged):
        SnapshotProfile(tmp_path / "short.zip")


def test_manifest_has_no_key() -> None:
    assert "key" not in Manifest.__struct_fields__
