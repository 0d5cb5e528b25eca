"""Snapshots: saving what is held of a view's range as a folder or one `.zip`, and opening it, read-only.

Inside are Parquet files that are plain tables (a dataset each; the buckets held; names) and `manifest.json`, which
says what each column means. Nothing in it is secret: there is no key.
"""

import hashlib
import os
import secrets
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from usage_viewer.app.export.save import export_error
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.snapshot import manifest as manifests
from usage_viewer.app.snapshot.manifest import FILE, LARGEST, Manifest, PartFile, is_part, read_manifest
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import (
    ExportError,
    KeyMissing,
    NotASnapshot,
    SnapshotDamaged,
    SnapshotError,
    SnapshotTooLarge,
    StoreNotWritable,
)
from usage_viewer.domain.view import ViewState

if TYPE_CHECKING:
    from usage_viewer.app.fetch.api_source import ApiSource
    from usage_viewer.app.session.session import Session
    from usage_viewer.store import Cancel, Store

ZIP = ".zip"
PIECE = 2**20
MOST_BYTES = 4 * 2**30
"""Of all files together, unpacked: 4 GiB."""

MOST_FILES = 64
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def save_snapshot(
    session: "Session", view: ViewState, path: Path, *, organization: str = "", cancel: "Cancel | None" = None
) -> Manifest:
    """Writes what is held of the view's range, of every dataset, to `path`: one file if it ends with `.zip`, else
    a folder. Whole or not at all; an earlier snapshot of that name is replaced.

    Raises ExportError, StoreError, Cancelled.
    """
    path = Path(os.path.realpath(path))
    if path.suffix.lower() != ZIP and path.exists() and not _may_replace(path):
        raise ExportError(
            str(path),
            title="Something else has this name",
            hint="Choose another name: only snapshots are replaced.",
        )
    part = path.with_name(f".{path.name[:48]}.{secrets.token_hex(6)}.part")
    packed = part.with_name(f"{part.name}{ZIP}")
    try:
        part.mkdir(mode=0o700)
        manifest = _write(session, view, part, organization, cancel)
        if path.suffix.lower() == ZIP:
            _pack(part, packed)
            packed.replace(path)
        else:
            _put_in_place(part, path)
    except StoreNotWritable as error:
        raise ExportError(error.detail, title=error.title) from error
    except OSError as error:
        raise export_error(error, path) from error
    finally:
        packed.unlink(missing_ok=True)
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _may_replace(path: Path) -> bool:
    """A folder that is empty or a snapshot."""
    try:
        return path.is_dir() and (not any(path.iterdir()) or bool(read_manifest(path).files))
    except (SnapshotError, OSError):
        return False


def _write(
    session: "Session", view: ViewState, folder: Path, organization: str, cancel: "Cancel | None"
) -> Manifest:
    rows = session.save_snapshot(view, folder, cancel)
    files = {
        name: PartFile(count, (folder / name).stat().st_size, _digest(folder / name))
        for name, count in rows.items()
    }
    manifest = manifests.build_manifest(
        view, organization, session.span(view), session.now, files, session.unavailable_dimensions()
    )
    (folder / FILE).write_text(manifests.text_of(manifest), encoding="utf-8")
    return manifest


def _put_in_place(part: Path, path: Path) -> None:
    if not path.exists():
        part.rename(path)
        return
    before = part.with_name(f"{part.name}.before")
    path.rename(before)
    try:
        part.rename(path)
    except OSError:
        before.rename(path)
        raise
    shutil.rmtree(before, ignore_errors=True)


def peek(path: Path) -> Manifest:
    """What a snapshot says of itself, without reading the rest. Raises SnapshotError."""
    with _typed(path):
        folder = _folder_of(path)
        return read_manifest(folder) if folder is not None else manifests.parse_manifest(_packed_manifest(path))


def load(path: Path) -> "tuple[Manifest, Store]":
    """All of it, checked, in memory. Raises SnapshotError, StoreError."""
    with _typed(path):
        folder = _folder_of(path)
        if folder is not None:
            return _load(folder)
        with tempfile.TemporaryDirectory(prefix="usage-viewer-") as unpacked:
            unpack(path, Path(unpacked))
            return _load(Path(unpacked))


def _load(folder: Path) -> "tuple[Manifest, Store]":
    from usage_viewer.store.snapshot.snapshot import load_snapshot

    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise SnapshotDamaged(f"{name} is missing.")
        if path.stat().st_size != expected.bytes or _digest(path) != expected.sha256:
            raise SnapshotDamaged(f"{name} is not as it was saved.")
    return manifest, load_snapshot(folder, manifest.not_available)


def _folder_of(path: Path) -> Path | None:
    """None for a `.zip`. Raises NotASnapshot for what is neither."""
    if path.is_dir():
        return path
    if path.name == FILE and path.is_file():
        return path.parent
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise NotASnapshot(path.name)
    return None


@contextmanager
def _typed(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise SnapshotError(str(path), title="There is no such snapshot", hint="Check the name.") from error
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(folder: Path, target: Path) -> None:
    """The folder's files in a new `.zip`; Parquet is compressed already. Raises OSError."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, path.name)


def _packed_manifest(path: Path) -> bytes:
    """The manifest alone. Raises SnapshotError, OSError."""
    try:
        with zipfile.ZipFile(path) as packed:
            return _content(packed, _parts(packed)[FILE])
    except _BROKEN as error:
        raise SnapshotDamaged(str(error)) from error


def unpack(path: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Into the empty `folder`, only files that can be a snapshot's. Raises SnapshotError, OSError."""
    try:
        with zipfile.ZipFile(path) as packed:
            parts = _parts(packed)
            if sum(part.file_size for part in parts.values()) > most_bytes:
                raise SnapshotTooLarge(_limit(most_bytes))
            left = most_bytes
            for name, part in parts.items():
                left = _unpack_one(packed, part, folder / name, left)
    except _BROKEN as error:
        raise SnapshotDamaged(str(error)) from error


def _parts(packed: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """By plain file name. One folder around all of them is taken off: it is what zipping a folder gives."""
    entries = [entry for entry in packed.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise NotASnapshot(f"There are {len(entries)} files in it.")
    paths = [PurePosixPath(entry.filename) for entry in entries]
    around = {path.parts[0] for path in paths if len(path.parts) == 2}
    if len(around) == 1 and all(len(path.parts) == 2 for path in paths) and ".." not in around:
        paths = [PurePosixPath(path.name) for path in paths]
    parts: dict[str, zipfile.ZipInfo] = {}
    for path, entry in zip(paths, entries, strict=True):
        name = str(path)
        if name != FILE and not is_part(name):
            raise NotASnapshot(f"There is a file in it that no snapshot has: {entry.filename[:80]!r}")
        if name in parts:
            raise SnapshotDamaged(f"{name} is there twice.")
        parts[name] = entry
    if FILE not in parts:
        raise NotASnapshot(f"There is no {FILE} in it.")
    return parts


def _content(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with packed.open(part) as source:
        content = source.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise NotASnapshot(f"{FILE} is too large.")
    return content


def _unpack_one(packed: zipfile.ZipFile, part: zipfile.ZipInfo, target: Path, left: int) -> int:
    """How many bytes may follow. What an entry says of its size is not relied on."""
    with packed.open(part) as source, target.open("xb") as file:
        while piece := source.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise SnapshotTooLarge(_limit(0))
            file.write(piece)
    return left


def _limit(most_bytes: int) -> str:
    size = f" ({most_bytes / 2**30:g} GiB)" if most_bytes >= 2**30 else ""
    return f"Unpacked, it is larger than what is taken{size}."


class SnapshotProfile(Profile):
    """A snapshot in a profile's place: it needs no key, and nothing is ever fetched."""

    needs_key = False
    read_only = True

    def __init__(self, path: Path) -> None:
        """Raises SnapshotError."""
        from usage_viewer.keystore import MemoryKeystore

        super().__init__(
            "snapshot",
            label=path.parent.name if path.name == FILE else path.name,
            base_url="",
            database=None,
            keystore=lambda: MemoryKeystore(description="A snapshot needs no key."),
        )
        self.path = path
        self.manifest = peek(path)

    def open_session(self, week_start: int | None = None) -> "Session":
        """Raises SnapshotError, StoreError. Its clock stands still at the moment when it was saved."""
        from usage_viewer.app.session.snapshot import SnapshotSession

        self.manifest, store = load(self.path)
        moment = self.manifest.moment
        first_day = self._week_start if week_start is None else week_start
        return SnapshotSession(store, self.manifest.datasets, clock=lambda: moment, week_start=first_day)

    def source(self, key: AdminKey) -> "ApiSource":
        raise KeyMissing(title="A snapshot can't be refreshed", hint="Open your organization to fetch usage.")
