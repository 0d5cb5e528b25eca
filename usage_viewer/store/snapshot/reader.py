"""Reads a snapshot's Parquet files, checks them, and loads them into a store in memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.errors import SnapshotDamaged, StoreError
from usage_viewer.domain.grain import is_stored_dataset, stored_dataset
from usage_viewer.domain.grants import Refusal
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


def load_snapshot(folder: Path, refusals: Mapping[str, Sequence[Refusal]] | None = None) -> Store:
    """Load all files in `folder` into a store in memory.

    `refusals` has the groupings that the organization's API refuses, by dataset. Datasets and columns that this
    version does not know are ignored; metrics that a file lacks are missing. Raises SnapshotDamaged, and StoreError
    if there is not enough memory.
    """
    database = Database(None, folder=folder)
    try:
        with _as_damage(), database.transaction() as cursor:
            migrate(cursor, is_new=True)
            _read_held(cursor, folder / HELD_FILE)
            _read_comparisons(cursor, folder / DIFFERENCES_FILE)
            _read_names(cursor, folder / NAMES_FILE)
            names = sorted(row[0] for row in cursor.execute("SELECT DISTINCT dataset FROM held").fetchall())
            for dataset in map(stored_dataset, filter(is_stored_dataset, names)):
                _read_dataset(cursor, dataset, folder / dataset_file(dataset))
            for name, learnt in (refusals or {}).items():
                write_refusals(cursor, name, learnt)
            renew_every_digest(cursor)
        return Store(database, migrated=True)
    except BaseException:
        database.close()
        raise


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


def _read_comparisons(cursor: Connection, path: Path) -> None:
    """Read which buckets were compared, and the differences in the file at `path`.

    Without that file nothing counts as compared: earlier versions wrote neither.
    """
    if not path.is_file():
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
    cursor.execute(
        f"INSERT INTO name SELECT kind, id, name, {_seconds('last_seen')}, deleted, {_seconds('last_used')}"
        " FROM plain_names"
    )
    _refuse_if(cursor, "a name occurs twice", "SELECT 1 FROM name GROUP BY kind, id HAVING count(*) > 1")


def _read_dataset(cursor: Connection, dataset: Dataset, path: Path) -> None:
    stored = cursor.execute("SELECT DISTINCT width FROM held WHERE dataset = ?", [dataset.name]).fetchall()
    widths = [width for width in dataset.widths if (width.value,) in stored]
    if not widths:
        return
    plain = f"plain_{dataset.name}"
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

    Raises SnapshotDamaged if the file or a required column is missing.
    """
    if not path.is_file():
        raise SnapshotDamaged(f"{path.name} is missing")
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
