"""Defines `manifest.json` of a snapshot: range, time of saving, and the meaning and checksum of each file."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from usage_viewer import __version__
from usage_viewer.app.json_text import parse_json
from usage_viewer.app.settings.view_serialization import (
    FIRST_YEAR,
    LAST_YEAR,
    restored_view,
    serialized_view,
)
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import NotASnapshot, SnapshotDamaged, SnapshotNewer
from usage_viewer.domain.grain import is_stored_dataset, stored_dataset
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.names import LONGEST_NAME
from usage_viewer.domain.period import Span
from usage_viewer.domain.view import ViewState

FORMAT = "usage-viewer snapshot"
VERSION = 1
FILE = "manifest.json"
MOST_FILES = 64
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

    rows: Annotated[int, msgspec.Meta(ge=0)]
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class RefusedGrouping(msgspec.Struct, frozen=True):
    """Describes a grouping of a dataset that the server refused from `since` until `until` (None: unbounded)."""

    dataset: str
    dimensions: list[str]
    blamed: str
    since: datetime | None = None
    until: datetime | None = None


class Manifest(msgspec.Struct, frozen=True):
    """Holds the content of `manifest.json`.

    `start` and `end` (exclusive) are the saved range. `files` and `columns` describe each file by its name.
    `not_available` lists, by dataset, the dimensions that the server refused in any range and combination;
    `refused` has every refused grouping. `view` is the view that was saved.
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
    refused: list[RefusedGrouping] = []
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
    def refusals(self) -> dict[str, list[Refusal]]:
        """Return the refused groupings by dataset, as learnt when the snapshot was saved."""
        refusals: dict[str, list[Refusal]] = {}
        for name, dimensions in self.not_available.items():
            if name in DATASETS:
                learnt = [Refusal(frozenset([item]), item, learnt_at=self.moment) for item in dimensions]
                refusals.setdefault(name, []).extend(learnt)
        for item in self.refused:
            if item.dataset in DATASETS and item.blamed in item.dimensions:
                range_ = _seconds(item.since), _seconds(item.until)
                learnt = [Refusal(frozenset(item.dimensions), item.blamed, *range_, self.moment)]
                refusals.setdefault(item.dataset, []).extend(learnt)
        return refusals

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
    grants: Mapping[str, Grants],
) -> Manifest:
    """Return the manifest of a snapshot of `view` that is saved at `saved_at` (epoch seconds).

    The search text is not saved. `grants` are those of each dataset.
    """
    refused = {name: item.never_granted(DATASETS[name].group_by) for name, item in grants.items()}
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
        columns=describe_columns(files),
        not_available={name: list(dimensions) for name, dimensions in refused.items() if dimensions},
        refused=[
            RefusedGrouping(name, sorted(item.dimensions), item.blamed, _moment(item.since), _moment(item.until))
            for name, known in grants.items()
            for item in known.refusals
            if len(item.dimensions) > 1 or not item.always
        ],
        view=stored,
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def describe_columns(files: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the type and meaning of each column of these files, by file and column name."""
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
    stored = filter(is_stored_dataset, (name.removesuffix(".parquet") for name in files))
    tables |= {dataset_file(data): dataset_columns(data) for data in map(stored_dataset, stored)}
    return {
        file: {name: f"{column.kind}. {column.meaning}" for name, column in columns.items()}
        for file, columns in tables.items()
        if file in files
    }


def text_of(manifest: Manifest) -> str:
    """Return the manifest as JSON text."""
    return json.dumps(msgspec.to_builtins(manifest), indent=2, ensure_ascii=False) + "\n"


def parse_manifest(content: bytes) -> Manifest:
    """Parse and check the content of `manifest.json`. Raises NotASnapshot, SnapshotNewer, SnapshotDamaged."""
    try:
        stored = parse_json(content)
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
    _check_bounds(manifest)
    return manifest


def _check_bounds(manifest: Manifest) -> None:
    """Raise SnapshotDamaged for numbers, names and times out of bounds."""
    if len(manifest.files) > MOST_FILES:
        raise SnapshotDamaged(f"{FILE} lists {len(manifest.files)} files")
    if len(manifest.organization) > LONGEST_NAME:
        raise SnapshotDamaged(f"{FILE} has a name of {len(manifest.organization)} characters")
    for name in manifest.files:
        if not is_part(name):
            raise SnapshotDamaged(f"{FILE} lists a file that can't be part of a snapshot: {name[:80]!r}")
    if any(moment.tzinfo is None for moment in (manifest.saved_at, manifest.start, manifest.end)):
        raise SnapshotDamaged(f"{FILE} has times without a zone")
    if any(
        not FIRST_YEAR <= moment.year <= LAST_YEAR for moment in (manifest.saved_at, manifest.start, manifest.end)
    ):
        raise SnapshotDamaged(f"{FILE} has times outside of the years {FIRST_YEAR} to {LAST_YEAR}")


def is_part(name: str) -> bool:
    """Report whether a snapshot can have a file of this name; a name with a folder is never accepted."""
    return re.fullmatch(r"[a-z0-9_@+]{1,200}\.parquet", name) is not None


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest in a snapshot's folder. Raises SnapshotError, OSError."""
    path = folder / FILE
    if not path.is_file():
        raise NotASnapshot(f"It has no {FILE}.")
    if path.stat().st_size > LARGEST:
        raise NotASnapshot(f"{FILE} is too large.")
    return parse_manifest(path.read_bytes())
