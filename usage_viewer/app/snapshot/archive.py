"""Snapshots: saving what is held of a view's range as a folder or one `.zip`, and opening it, read-only.

Inside are Parquet files that are plain tables (a dataset each; the buckets held; names) and `manifest.json`, which
says what each column means. Nothing in it is secret: there is no key.
"""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from usage_viewer.app.export.save import export_error
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.capabilities import SNAPSHOT
from usage_viewer.app.snapshot import manifest as manifests
from usage_viewer.app.snapshot.manifest import Manifest, PartFile, read_manifest
from usage_viewer.app.snapshot.packing import pack, packed_manifest, unpack
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import (
    ExportError,
    KeyMissing,
    NotASnapshot,
    SnapshotDamaged,
    SnapshotError,
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


def save_snapshot(
    session: "StoreSession",
    view: ViewState,
    path: Path,
    *,
    organization: str = "",
    cancellation: "Cancellation | None" = None,
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
        manifest = _write(session, view, part, organization, cancellation)
        if path.suffix.lower() == ZIP:
            pack(part, packed)
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
    session: "StoreSession", view: ViewState, folder: Path, organization: str, cancellation: "Cancellation | None"
) -> Manifest:
    rows = session.save_snapshot(view, folder, cancellation)
    files = {
        name: PartFile(count, (folder / name).stat().st_size, _digest(folder / name))
        for name, count in rows.items()
    }
    manifest = manifests.made(
        view,
        organization,
        session.coverage(view).periods.span,
        session.now,
        files,
        session.unavailable_dimensions(),
    )
    (folder / manifests.FILE).write_text(manifests.text_of(manifest), encoding="utf-8")
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
        return read_manifest(folder) if folder is not None else manifests.parsed(packed_manifest(path))


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
    from usage_viewer.store.snapshot.reader import load_snapshot

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
    if path.name == manifests.FILE and path.is_file():
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


class SnapshotProfile(Profile):
    """A snapshot in a profile's place: it needs no key, and nothing is ever fetched."""

    capabilities = SNAPSHOT

    def __init__(self, path: Path) -> None:
        """Raises SnapshotError."""
        from usage_viewer.keystore import MemoryKeystore

        super().__init__(
            "snapshot",
            label=path.parent.name if path.name == manifests.FILE else path.name,
            base_url="",
            database=None,
            keystore=lambda: MemoryKeystore(description="A snapshot needs no key."),
        )
        self.path = path
        self.manifest = peek(path)

    def open_session(self, week_start: int | None = None) -> "Session":
        """Raises SnapshotError, StoreError. Its clock stands still at the moment when it was saved."""
        from usage_viewer.app.session.store_session import StoreSession

        self.manifest, store = load(self.path)
        first_day = self._week_start if week_start is None else week_start
        return StoreSession.of_snapshot(
            store, self.manifest.datasets, saved_at=self.manifest.moment, week_start=first_day
        )

    def source(self, key: AdminKey) -> "ApiSource":
        raise KeyMissing(title="A snapshot can't be refreshed", hint="Open your organization to fetch usage.")
