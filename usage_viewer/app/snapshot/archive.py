"""Saves the stored usage of a view's range as a snapshot (a folder or a `.zip`), and opens snapshots read-only.

A snapshot has Parquet files, which are plain tables (one for each dataset, one for the fetched buckets, one for
names), and `manifest.json`, which describes each column. It never has a key.
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

from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.capabilities import SNAPSHOT
from usage_viewer.app.snapshot import manifest as manifests
from usage_viewer.app.snapshot.manifest import FILE, LARGEST, MOST_FILES, Manifest, PartFile, is_part, read_manifest
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.catalog import API_DATASETS
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
    from usage_viewer.app.session.store_session import StoreSession
    from usage_viewer.domain.cancellation import Cancellation
    from usage_viewer.store import Store

ZIP = ".zip"
PIECE = 2**20
"""Bytes that are unpacked at a time."""

MOST_BYTES = 4 * 2**30
"""Largest total size of the unpacked files in bytes: 4 GiB."""

_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def save_snapshot(
    session: "StoreSession",
    view: ViewState,
    path: Path,
    *,
    organization: str = "",
    cancellation: "Cancellation | None" = None,
) -> Manifest:
    """Save the stored usage of the view's range, of all datasets, to `path`.

    A path that ends with `.zip` becomes one file, any other path a folder. The snapshot is saved completely or not
    at all. An existing snapshot at `path` is replaced. Raises ExportError, StoreError, Cancelled.
    """
    path = Path(os.path.realpath(path))
    if path.suffix.lower() != ZIP and path.exists() and not _may_replace(path):
        raise ExportError(
            str(path),
            title="This name is already used",
            hint="Choose another name: only snapshots are replaced.",
        )
    part = path.with_name(f".{path.name[:48]}.{secrets.token_hex(6)}.part")
    archive = part.with_name(f"{part.name}{ZIP}")
    try:
        part.mkdir(mode=0o700)
        manifest = _write(session, view, part, organization, cancellation)
        if path.suffix.lower() == ZIP:
            _pack(part, archive)
            archive.replace(path)
        else:
            _put_in_place(part, path)
    except StoreNotWritable as error:
        raise ExportError(error.detail, title=error.title) from error
    except OSError as error:
        from usage_viewer.app.export.save import export_error

        raise export_error(error, path) from error
    finally:
        archive.unlink(missing_ok=True)
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _may_replace(path: Path) -> bool:
    """Report whether `path` is an empty folder or a snapshot's folder."""
    try:
        return path.is_dir() and (not any(path.iterdir()) or bool(read_manifest(path).files))
    except (SnapshotError, OSError):
        return False


def _write(
    session: "StoreSession", view: ViewState, folder: Path, organization: str, cancellation: "Cancellation | None"
) -> Manifest:
    rows = session.save_snapshot(view, folder, cancellation)
    files = {
        name: PartFile(count, (folder / name).stat().st_size, _digest(folder / name))
        for name, count in rows.items()
    }
    manifest = manifests.build_manifest(
        view,
        organization,
        session.coverage(view).periods.span,
        session.now,
        files,
        {name: session.grants(name) for name in API_DATASETS},
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
    """Return a snapshot's manifest without reading its tables. Raises SnapshotError."""
    with _convert_os_errors(path):
        folder = _folder_of(path)
        return read_manifest(folder) if folder is not None else manifests.parse_manifest(_zipped_manifest(path))


def load(path: Path) -> "tuple[Manifest, Store]":
    """Load a snapshot into an in-memory store, after checking the size and SHA-256 of each file.

    Raises SnapshotError, StoreError.
    """
    with _convert_os_errors(path):
        folder = _folder_of(path)
        if folder is not None:
            return _load(folder)
        with tempfile.TemporaryDirectory(prefix="usage-viewer-") as unpacked:
            unpack(path, Path(unpacked))
            return _load(Path(unpacked))


def _load(folder: Path) -> "tuple[Manifest, Store]":
    from usage_viewer.store.snapshot.reader import load_snapshot

    manifest = read_manifest(folder)
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise SnapshotDamaged(f"{name} is missing.")
        if path.stat().st_size != expected.bytes or _digest(path) != expected.sha256:
            raise SnapshotDamaged(f"{name} was changed.")
    return manifest, load_snapshot(folder, manifest.files, manifest.refusals)


def _folder_of(path: Path) -> Path | None:
    """Return the snapshot's folder, or None for a `.zip`. Raises NotASnapshot for any other file, OSError."""
    if path.is_dir():
        return path
    if path.name == FILE and path.is_file():
        return path.parent
    if path.exists() and not path.is_file():  # opening a pipe would wait
        raise NotASnapshot(path.name)
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise NotASnapshot(path.name)
    return None


@contextmanager
def _convert_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise SnapshotError(str(path), title="The snapshot was not found", hint="Check the name.") from error
    except OSError as error:
        raise SnapshotError(f"{path}: {error.strerror or error}") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(folder: Path, target: Path) -> None:
    """Write the folder's files to a new `.zip`, uncompressed: Parquet is already compressed. Raises OSError."""
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)


def _zipped_manifest(path: Path) -> bytes:
    """Return the content of the manifest in a `.zip`. Raises SnapshotError, OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_manifest_entry(archive, _snapshot_entries(archive)[FILE])
    except _ZIP_ERRORS as error:
        raise SnapshotDamaged(str(error)) from error


def unpack(path: Path, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Unpack the manifest and the files that it names from a `.zip` into the empty `folder`.

    Together they have at most `most_bytes` bytes. A file whose size is not that in the manifest is not unpacked:
    the sizes that the archive declares may be wrong. Raises SnapshotError, OSError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _snapshot_entries(archive)
            content = _read_manifest_entry(archive, entries[FILE])
            files = manifests.parse_manifest(content).files
            if sum(part.bytes for part in files.values()) > most_bytes:
                raise SnapshotTooLarge(_size_error(most_bytes))
            (folder / FILE).write_bytes(content)
            for name, part in files.items():
                if name not in entries:
                    raise SnapshotDamaged(f"{name} is missing.")
                _unpack_entry(archive, entries[name], folder / name, part.bytes)
    except _ZIP_ERRORS as error:
        raise SnapshotDamaged(str(error)) from error


def _snapshot_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the archive's entries by plain file name, without a folder that contains all of them.

    Other programs add such a folder when they zip a snapshot's folder. Raises NotASnapshot, SnapshotDamaged.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise NotASnapshot(f"It has {len(entries)} files.")
    paths = [PurePosixPath(entry.filename) for entry in entries]
    folders = {path.parts[0] for path in paths if len(path.parts) == 2}
    if len(folders) == 1 and all(len(path.parts) == 2 for path in paths) and ".." not in folders:
        paths = [PurePosixPath(path.name) for path in paths]
    by_name: dict[str, zipfile.ZipInfo] = {}
    for path, entry in zip(paths, entries, strict=True):
        name = str(path)
        if name != FILE and not is_part(name):
            raise NotASnapshot(f"It has a file that can't be part of a snapshot: {entry.filename[:80]!r}")
        if name in by_name:
            raise SnapshotDamaged(f"It has {name} twice.")
        by_name[name] = entry
    if FILE not in by_name:
        raise NotASnapshot(f"It has no {FILE}.")
    return by_name


def _read_manifest_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    with archive.open(entry) as source:
        content = source.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise NotASnapshot(f"{FILE} is too large.")
    return content


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, size: int) -> None:
    """Unpack an entry that has `size` bytes. Raises SnapshotDamaged if it has more."""
    if entry.file_size != size:
        raise SnapshotDamaged(f"{target.name} has not the size in {FILE}.")
    with archive.open(entry) as source, target.open("xb") as file:
        while piece := source.read(PIECE):
            size -= len(piece)
            if size < 0:
                raise SnapshotDamaged(f"{target.name} is larger than {FILE} says.")
            file.write(piece)


def _size_error(most_bytes: int) -> str:
    limit = f" ({most_bytes / 2**30:g} GiB)" if most_bytes >= 2**30 else ""
    return f"Unpacked, it exceeds the size limit{limit}."


class SnapshotProfile(Profile):
    """Opens a snapshot like an organization's profile; it needs no key and never fetches."""

    capabilities = SNAPSHOT

    def __init__(self, path: Path) -> None:
        """Read the snapshot's manifest. Raises SnapshotError."""
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

    def open_session(self, week_start: int = 0) -> "Session":
        """Load the snapshot and return a session on it, whose clock stays at the time of saving.

        Raises SnapshotError, StoreError.
        """
        from usage_viewer.app.session.store_session import StoreSession

        self.manifest, store = load(self.path)
        return StoreSession.of_snapshot(
            store, self.manifest.datasets, saved_at=self.manifest.moment, week_start=week_start
        )

    def source(self, key: AdminKey) -> "ApiSource":
        """Raise KeyMissing: a snapshot has no server."""
        raise KeyMissing(title="A snapshot can't be refreshed", hint="Open your organization to load usage.")
