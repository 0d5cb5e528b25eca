"""`manifest.json` of a snapshot: what it holds, as of when, what each column means, and what each file must be."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from usage_viewer import __version__
from usage_viewer.app.settings.view_serialization import restored_view, serialized_view
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import NotASnapshot, SnapshotDamaged, SnapshotNewer
from usage_viewer.domain.period import Span
from usage_viewer.domain.view import ViewState

FORMAT = "usage-viewer snapshot"
VERSION = 1
FILE = "manifest.json"
LARGEST = 4 * 2**20
"""Bytes of a manifest; one that is larger is none."""

ABOUT = (
    "Usage of an organization, saved by Usage Viewer. Every .parquet file is a plain table: DuckDB, pandas, Spark "
    "and others read it as it is. Times are UTC. A dataset's rows are buckets of time by combination of "
    "dimensions; where they are there in several widths, choose one bucket_width before adding up. held.parquet "
    "lists every bucket that was fetched, also those without usage. There is no key in it."
)


class PartFile(msgspec.Struct, frozen=True):
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """`start` and `end` (exclusive) are the range that was saved; `not_available` are dimensions by dataset that
    the organization did not give."""

    format: str
    version: int
    program: str
    about: str
    saved_at: datetime
    start: datetime
    end: datetime
    organization: str
    files: dict[str, PartFile]
    columns: dict[str, dict[str, str]]
    not_available: dict[str, list[str]] = {}
    view: dict[str, Any] = {}

    @property
    def moment(self) -> int:
        """When it was saved, epoch seconds."""
        return int(self.saved_at.timestamp())

    @property
    def datasets(self) -> tuple[str, ...]:
        """Those that it holds and this version knows."""
        return tuple(name for name in DATASETS if f"{name}.parquet" in self.files)

    @property
    def shown(self) -> ViewState:
        """The view that it was saved from; what can't be used of it is the default."""
        return restored_view(self.view).across(())


def made(
    view: ViewState,
    organization: str,
    span: Span,
    saved_at: int,
    files: Mapping[str, PartFile],
    not_available: Mapping[str, tuple[str, ...]],
) -> Manifest:
    stored = serialized_view(view.with_search(""))
    return Manifest(
        format=FORMAT,
        version=VERSION,
        program=f"Usage Viewer {__version__}",
        about=ABOUT,
        saved_at=datetime.fromtimestamp(saved_at, UTC),
        start=datetime.fromtimestamp(span.start, UTC),
        end=datetime.fromtimestamp(span.end, UTC),
        organization=organization,
        files=dict(files),
        columns={name: described for name, described in described_columns().items() if name in files},
        not_available={name: list(listed) for name, listed in not_available.items() if listed},
        view=stored,
    )


def described_columns() -> dict[str, dict[str, str]]:
    """The kind and meaning of each column of each file."""
    from usage_viewer.store.snapshot.format import (
        HELD_COLUMNS,
        HELD_FILE,
        NAME_COLUMNS,
        NAMES_FILE,
        dataset_columns,
        dataset_file,
    )

    tables = {HELD_FILE: HELD_COLUMNS, NAMES_FILE: NAME_COLUMNS}
    tables |= {dataset_file(data): dataset_columns(data) for data in DATASETS.values()}
    return {
        file: {name: f"{column.kind}. {column.meaning}" for name, column in columns.items()}
        for file, columns in tables.items()
    }


def text_of(manifest: Manifest) -> str:
    return json.dumps(msgspec.to_builtins(manifest), indent=2, ensure_ascii=False) + "\n"


def parsed(content: bytes) -> Manifest:
    """Raises NotASnapshot, SnapshotNewer, SnapshotDamaged."""
    try:
        stored = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotASnapshot(f"{FILE} is not JSON") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise NotASnapshot(f"{FILE} belongs to another program")
    version = stored.get("version")
    if isinstance(version, int) and version > VERSION:
        raise SnapshotNewer(f"Version {version}; this program knows versions up to {VERSION}.")
    try:
        manifest = msgspec.convert(stored, Manifest)
    except msgspec.ValidationError as error:
        raise SnapshotDamaged(f"{FILE}: {error}") from error
    for name in manifest.files:
        if not is_part(name):
            raise SnapshotDamaged(f"{FILE} names a file that can't be part of it: {name[:80]!r}")
    if any(moment.tzinfo is None for moment in (manifest.saved_at, manifest.start, manifest.end)):
        raise SnapshotDamaged(f"{FILE} has times without a zone")
    return manifest


def is_part(name: str) -> bool:
    """Whether a file of this name can be part of a snapshot: one of ours, without any folder."""
    return re.fullmatch(r"[a-z0-9_]{1,64}\.parquet", name) is not None


def read_manifest(folder: Path) -> Manifest:
    """Raises SnapshotError, OSError."""
    path = folder / FILE
    if not path.is_file():
        raise NotASnapshot(f"There is no {FILE} in it.")
    if path.stat().st_size > LARGEST:
        raise NotASnapshot(f"{FILE} is too large.")
    return parsed(path.read_bytes())
