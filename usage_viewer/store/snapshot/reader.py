"""Reads a snapshot's Parquet files, checks them, and loads them into a store in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.errors import SnapshotDamaged, StoreError
from usage_viewer.domain.grain import is_stored_dataset, stored_dataset
from usage_viewer.domain.grants import Refusal
from usage_viewer.domain.names import LONGEST_NAME, MOST_NAMES
from usage_viewer.domain.period import BucketWidth
from usage_viewer.store.engine.database import OUT_OF_MEMORY, Connection, Database, quoted
from usage_viewer.store.engine.digests import renew_every_digest
from usage_viewer.store.engine.schema import DECIMAL, combination_table, create_tables, fact_table, migrate
from usage_viewer.store.grant_index import write_refusals
from usage_viewer.store.snapshot.format import (
    DIFFERENCE_COLUMNS,
    DIFFERENCES_FILE,
    HELD_COLUMNS,
    HELD_FILE,
    NAME_COLUMNS,
    NAMES_FILE,
    SnapshotColumn,
    dataset_file,
)
from usage_viewer.store.store import Store


def load_snapshot(
    folder: Path, files: Collection[str], refusals: Mapping[str, Sequence[Refusal]] | None = None
) -> Store:
    """Load those `files` in `folder` that this version knows into a store in memory.

    `refusals` has the groupings that the organization's API refuses, by dataset. Datasets and columns that this
    version does not know are ignored; metrics that a file lacks are missing. Raises SnapshotDamaged, and StoreError
    if there is not enough memory.
    """
    database = Database(None, folder=folder)
    try:
        with _as_damage(), database.transaction() as cursor:
            migrate(cursor, is_new=True)
            paths = _Paths(folder, frozenset(files))
            _read_held(cursor, paths[HELD_FILE])
            _read_comparisons(cursor, paths.get(DIFFERENCES_FILE))
            _read_names(cursor, paths[NAMES_FILE])
            names = sorted(row[0] for row in cursor.execute("SELECT DISTINCT dataset FROM held").fetchall())
            for dataset in map(stored_dataset, filter(is_stored_dataset, names)):
                _read_dataset(cursor, dataset, paths)
            for name, learnt in (refusals or {}).items():
                write_refusals(cursor, name, learnt)
            renew_every_digest(cursor)
        return Store(database, migrated=True)
    except BaseException:
        database.close()
        raise


@dataclass(frozen=True, slots=True)
class _Paths:
    """Gives the path of each file that the manifest names; no other file in the folder is read."""

    folder: Path
    files: frozenset[str]

    def __getitem__(self, name: str) -> Path:
        path = self.get(name)
        if path is None:
            raise SnapshotDamaged(f"{name} is missing")
        return path

    def get(self, name: str) -> Path | None:
        """Return the path of a file; None if the snapshot doesn't have it."""
        path = self.folder / name
        return path if name in self.files and path.is_file() else None


@contextmanager
def _as_damage() -> Iterator[None]:
    """Convert every StoreError to SnapshotDamaged, except the lack of memory."""
    try:
        yield
    except StoreError as error:
        if error.title == OUT_OF_MEMORY:
            raise
        raise SnapshotDamaged(error.detail or error.title) from error


def _read_held(cursor: Connection, path: Path) -> None:
    # Snapshots of earlier versions have no comparisons.
    required = [name for name in HELD_COLUMNS if name not in ("compared_at", "grew")]
    _open(cursor, "plain_held", path, HELD_COLUMNS, required)
    cursor.execute(
        "INSERT INTO held (dataset, width, start, fetched_at, grouped, repeats)"
        f" SELECT dataset, bucket_width, {_seconds('bucket_start')}, {_seconds('fetched_at')},"
        " grouped, false FROM plain_held"
    )
    _refuse_if(
        cursor,
        "a bucket occurs twice",
        "SELECT 1 FROM held GROUP BY dataset, width, start HAVING count(*) > 1",
    )
    for width in BucketWidth:
        _refuse_if(
            cursor,
            "a bucket does not start at a multiple of its width",
            f"SELECT 1 FROM held WHERE width = '{width.value}' AND start % {width.seconds} != 0",
        )


def _read_comparisons(cursor: Connection, path: Path | None) -> None:
    """Read which buckets were compared, and the differences in the file at `path`.

    Without a file nothing counts as compared: earlier versions wrote neither.
    """
    if path is None:
        return
    start = _seconds("bucket_start")
    cursor.execute(
        f"INSERT INTO comparison SELECT dataset, bucket_width, {start}, {_seconds('fetched_at')},"
        f" {_seconds('compared_at')}, coalesce(grew, false) FROM plain_held WHERE compared_at IS NOT NULL"
    )
    _open(cursor, "plain_differences", path, DIFFERENCE_COLUMNS, DIFFERENCE_COLUMNS)
    cursor.execute(
        f"INSERT INTO difference SELECT dataset, bucket_width, {start}, metric, unit, local_value, server_value"
        " FROM plain_differences"
    )
    _refuse_if(
        cursor,
        "a difference is not a number",
        "SELECT 1 FROM difference WHERE NOT regexp_full_match(local_value, '-?[0-9]{1,60}([.][0-9]{1,60})?')"
        " OR NOT regexp_full_match(server_value, '-?[0-9]{1,60}([.][0-9]{1,60})?')",
    )


def _read_names(cursor: Connection, path: Path) -> None:
    _open(cursor, "plain_names", path, NAME_COLUMNS, [name for name in NAME_COLUMNS if name != "last_used"])
    # Before anything is copied: a small file may have a great many names.
    (names,) = cursor.execute("SELECT count(*) FROM plain_names").fetchall()[0]
    if names > MOST_NAMES:
        raise SnapshotDamaged(f"it has {names} names; at most {MOST_NAMES} are accepted")
    _refuse_if(
        cursor,
        f"a name or an id has more than {LONGEST_NAME} characters",
        f"SELECT 1 FROM plain_names WHERE length(id) > {LONGEST_NAME} OR length(name) > {LONGEST_NAME}",
    )
    cursor.execute(
        f"INSERT INTO name SELECT kind, id, name, {_seconds('last_seen')}, deleted, {_seconds('last_used')}"
        " FROM plain_names"
    )
    _refuse_if(cursor, "a name occurs twice", "SELECT 1 FROM name GROUP BY kind, id HAVING count(*) > 1")


def _read_dataset(cursor: Connection, dataset: Dataset, paths: _Paths) -> None:
    stored = cursor.execute("SELECT DISTINCT width FROM held WHERE dataset = ?", [dataset.name]).fetchall()
    widths = [width for width in dataset.widths if (width.value,) in stored]
    if not widths:
        return
    plain, path = f"plain_{dataset.name}", paths[dataset_file(dataset)]
    columns = _stored_columns(dataset)
    _open(cursor, plain, path, columns, ("bucket_start", "bucket_width"))
    dimensions = [item.name for item in dataset.dimensions]
    listed = ", ".join(map(quoted, dimensions))
    create_tables(cursor, dataset, widths[0])
    cells = quoted(combination_table(dataset))
    cursor.execute(
        f"INSERT INTO {cells} (id, {listed})"
        f" SELECT row_number() OVER (ORDER BY {listed}) - 1, {listed}"
        f" FROM (SELECT DISTINCT {listed} FROM {quoted(plain)})"
        if dimensions
        else f"INSERT INTO {cells} VALUES (0)"
    )
    for width in widths:
        create_tables(cursor, dataset, width)
        _insert_facts(cursor, dataset, width, plain)
    known = " OR ".join(
        f"(bucket_width = '{width.value}' AND {_seconds('bucket_start')} IN"
        f" (SELECT start FROM held WHERE dataset = '{dataset.name}' AND width = '{width.value}'))"
        for width in widths
    )
    _refuse_if(
        cursor,
        f"{path.name} has usage in a bucket that {HELD_FILE} doesn't have",
        f"SELECT 1 FROM {quoted(plain)} WHERE ({known}) IS NOT true",
    )


def _insert_facts(cursor: Connection, dataset: Dataset, width: BucketWidth, plain: str) -> None:
    table = quoted(fact_table(dataset, width))
    same = " AND ".join(
        f"plain.{quoted(item.name)} IS NOT DISTINCT FROM cell.{quoted(item.name)}" for item in dataset.dimensions
    )
    figures = [*(metric.name for metric in dataset.metrics), "extra"]
    listed = ", ".join(map(quoted, figures))
    cursor.execute(
        f"INSERT INTO {table} (bucket, combination, {listed})"
        f" SELECT {_seconds('bucket_start')}, cell.id, {listed}"
        f" FROM {quoted(plain)} AS plain JOIN {quoted(combination_table(dataset))} AS cell ON {same or 'true'}"
        " WHERE bucket_width = ? ORDER BY bucket_start, cell.id",
        [width.value],
    )
    cursor.execute(
        "UPDATE held SET repeats = true WHERE dataset = ? AND width = ? AND start IN"
        f" (SELECT bucket FROM {table} GROUP BY bucket, combination HAVING count(*) > 1)",
        [dataset.name, width.value],
    )


def _stored_columns(dataset: Dataset) -> dict[str, SnapshotColumn]:
    """Return the columns of a dataset's file that the store reads; fetch times and names have other files."""
    columns = {"bucket_start": SnapshotColumn("TIMESTAMP", ""), "bucket_width": SnapshotColumn("VARCHAR", "")}
    columns |= {item.name: SnapshotColumn("VARCHAR", "") for item in dataset.dimensions}
    for metric in dataset.metrics:
        columns[metric.name] = SnapshotColumn(DECIMAL if metric.kind is Kind.DECIMAL else "BIGINT", "")
    return columns | {"extra": SnapshotColumn("VARCHAR", "")}


def _open(
    cursor: Connection,
    view: str,
    path: Path,
    columns: Mapping[str, SnapshotColumn],
    required: Sequence[str] | Mapping[str, SnapshotColumn],
) -> None:
    """Create a view of a file with exactly `columns`: a column that the file lacks is null, others are ignored.

    Raises SnapshotDamaged if a required column is missing.
    """
    source = "read_parquet('" + str(path).replace("'", "''") + "')"
    existing = {row[0] for row in cursor.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    lacking = [name for name in required if name not in existing]
    if lacking:
        raise SnapshotDamaged(f"{path.name} lacks {', '.join(lacking)}")
    listed = ", ".join(
        f"{quoted(name) if name in existing else 'NULL'}::{column.kind} AS {quoted(name)}"
        for name, column in columns.items()
    )
    cursor.execute(f"CREATE TEMP VIEW {quoted(view)} AS SELECT {listed} FROM {source}")


def _refuse_if(cursor: Connection, problem: str, select: str) -> None:
    """Raise SnapshotDamaged if the query has any row."""
    if cursor.execute(f"{select} LIMIT 1").fetchall():
        raise SnapshotDamaged(problem)


def _seconds(time: str) -> str:
    return f"(epoch_us({time}) // 1000000)"
