"""Defines `manifest.json` of a snapshot: range, time of saving, and the meaning and checksum of each file."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from usage_viewer import __version__
from usage_viewer.app.settings.view_serialization import (
    FIRST_YEAR,
    LAST_YEAR,
    restored_view,
    serialized_view,
)
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import NotASnapshot, SnapshotDamaged, SnapshotNewer
from usage_viewer.domain.period import Span
from usage_viewer.domain.view import ViewState

FORMAT = "usage-viewer snapshot"
VERSION = 1
FILE = "manifest.json"
LARGEST = 4 * 2**20
"""Largest size of a manifest in bytes."""

ABOUT = (
    "Usage of an organization, saved by Usage Viewer. Every .parquet file is a plain table, which DuckDB, pandas, "
    "Spark and other programs can read. Times are UTC. A dataset has a row for each bucket of time and combination "
    "of dimensions. If it has buckets of several widths, choose one bucket_width before adding up. held.parquet "
    "lists every bucket that was fetched, including those without usage, and when its sums were compared with "
    "the server's totals. The snapshot has no key."
)


class PartFile(msgspec.Struct, frozen=True):
    """Describes a file of the snapshot: its number of rows, its size in bytes and its SHA-256 (hexadecimal)."""

    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """Holds the content of `manifest.json`.

    `start` and `end` (exclusive) are the saved range. `files` and `columns` describe each file by its name.
    `not_available` lists, by dataset, the dimensions that the server refused for the organization. `view` is the
    view that was saved.
    """

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
        """Return the time of saving in epoch seconds."""
        return int(self.saved_at.timestamp())

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the datasets in the snapshot that this version knows."""
        return tuple(name for name in DATASETS if f"{name}.parquet" in self.files)

    @property
    def shown(self) -> ViewState:
        """Return the saved view, with the default for each part that is invalid."""
        return restored_view(self.view).across(())


def build_manifest(
    view: ViewState,
    organization: str,
    span: Span,
    saved_at: int,
    files: Mapping[str, PartFile],
    not_available: Mapping[str, tuple[str, ...]],
) -> Manifest:
    """Return the manifest of a snapshot of `view` that is saved at `saved_at` (epoch seconds).

    The search text is not saved. `not_available` lists the refused dimensions by dataset.
    """
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
        columns={name: columns for name, columns in describe_columns().items() if name in files},
        not_available={name: list(dimensions) for name, dimensions in not_available.items() if dimensions},
        view=stored,
    )


def describe_columns() -> dict[str, dict[str, str]]:
    """Return the type and meaning of each column of each file, by file and column name."""
    from usage_viewer.store.snapshot.format import (
        DIFFERENCE_COLUMNS,
        DIFFERENCES_FILE,
        HELD_COLUMNS,
        HELD_FILE,
        NAME_COLUMNS,
        NAMES_FILE,
        dataset_columns,
        dataset_file,
    )

    tables = {HELD_FILE: HELD_COLUMNS, NAMES_FILE: NAME_COLUMNS, DIFFERENCES_FILE: DIFFERENCE_COLUMNS}
    tables |= {dataset_file(data): dataset_columns(data) for data in DATASETS.values()}
    return {
        file: {name: f"{column.kind}. {column.meaning}" for name, column in columns.items()}
        for file, columns in tables.items()
    }


def text_of(manifest: Manifest) -> str:
    """Return the manifest as JSON text."""
    return json.dumps(msgspec.to_builtins(manifest), indent=2, ensure_ascii=False) + "\n"


def parse_manifest(content: bytes) -> Manifest:
    """Parse and check the content of `manifest.json`. Raises NotASnapshot, SnapshotNewer, SnapshotDamaged."""
    try:
        stored = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotASnapshot(f"{FILE} is not JSON") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise NotASnapshot(f"{FILE} is of another program")
    version = stored.get("version")
    if isinstance(version, int) and version > VERSION:
        raise SnapshotNewer(f"The snapshot has version {version}; this program supports versions up to {VERSION}.")
    try:
        manifest = msgspec.convert(stored, Manifest)
    except msgspec.ValidationError as error:
        raise SnapshotDamaged(f"{FILE}: {error}") from error
    for name in manifest.files:
        if not is_part(name):
            raise SnapshotDamaged(f"{FILE} lists a file that can't be part of a snapshot: {name[:80]!r}")
    if any(moment.tzinfo is None for moment in (manifest.saved_at, manifest.start, manifest.end)):
        raise SnapshotDamaged(f"{FILE} has times without a zone")
    if any(
        not FIRST_YEAR <= moment.year <= LAST_YEAR for moment in (manifest.saved_at, manifest.start, manifest.end)
    ):
        raise SnapshotDamaged(f"{FILE} has times outside of the years {FIRST_YEAR} to {LAST_YEAR}")
    return manifest


def is_part(name: str) -> bool:
    """Report whether a snapshot can have a file of this name; a name with a folder is never accepted."""
    return re.fullmatch(r"[a-z0-9_]{1,64}\.parquet", name) is not None


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest in a snapshot's folder. Raises SnapshotError, OSError."""
    path = folder / FILE
    if not path.is_file():
        raise NotASnapshot(f"It has no {FILE}.")
    if path.stat().st_size > LARGEST:
        raise NotASnapshot(f"{FILE} is too large.")
    return parse_manifest(path.read_bytes())
