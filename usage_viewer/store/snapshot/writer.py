"""Writes the stored usage of a span of time to Parquet files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset, Kind
from usage_viewer.domain.grain import is_stored_dataset, stored_dataset
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketWidth, Span
from usage_viewer.store.engine.database import Connection, Database, quoted, wal_path
from usage_viewer.store.engine.schema import DECIMAL, combination_table, fact_table
from usage_viewer.store.snapshot.format import (
    DIFFERENCE_COLUMNS,
    DIFFERENCES_FILE,
    HELD_COLUMNS,
    HELD_FILE,
    NAME_COLUMNS,
    NAMES_FILE,
    SnapshotColumn,
    dataset_columns,
    dataset_file,
    name_column,
)
from usage_viewer.store.store import Store

SCRATCH = "scratch.duckdb"
ROWS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class _Copy:
    """Copies rows from one database to another in chunks in memory: DuckDB may not attach other files here."""

    source: Connection
    target: Connection
    cancel: Cancellation

    def rows(self, select: str, values: Sequence[object], table: str, columns: Mapping[str, str]) -> int:
        """Append the rows of `select` to `table` and returns how many; `columns` has its names and types."""
        self.cancel.check()
        chunk = self.source.execute(select, values).fetchnumpy()
        count = len(next(iter(chunk.values())))
        if count:
            cast = ", ".join(f"{quoted(name)}::{kind}" for name, kind in columns.items())
            self.target.register("chunk", chunk)
            self.target.execute(f"INSERT INTO {quoted(table)} SELECT {cast} FROM chunk")
            self.target.unregister("chunk")
        return count

    def create(self, table: str, columns: Mapping[str, str]) -> None:
        """Create a table in the target; `columns` has its names and types."""
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        self.target.execute(f"CREATE TABLE {quoted(table)} ({listed})")

    def write(self, select: str, path: Path) -> None:
        """Write the rows of `select` from the target to a Parquet file."""
        self.cancel.check()
        target = str(path).replace("'", "''")
        self.target.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def save_snapshot(store: Store, folder: Path, span: Span, cancel: Cancellation | None = None) -> dict[str, int]:
    """Write all stored buckets that are entirely within `span` into the empty `folder`, as of one moment.

    Compares everything with its digests first. Returns the number of rows by file name. Raises Cancelled,
    StoreError (StoreNotWritable if `folder` can't be written, StoreDamaged).
    """
    cancel = cancel or Cancellation()
    store.check(cancel=cancel)
    scratch = folder / SCRATCH
    rows: dict[str, int] = {}
    try:
        with (
            closing(Database(scratch, folder=folder)) as database,
            database.cursor(cancel) as target,
            store.database.cursor() as source,
        ):
            source.begin()  # so that all queries see the same moment
            copy = _Copy(source, target, cancel)
            widths_of = _copy_held(copy, span)
            rows[HELD_FILE] = _write_held(copy, folder)
            rows[DIFFERENCES_FILE] = _write_differences(copy, folder)
            _copy_names(copy, list(store.names().by_id.values()))
            for name, widths in widths_of.items():
                dataset = stored_dataset(name)
                rows[dataset_file(dataset)] = _write_dataset(copy, dataset, widths, span, folder)
            rows[NAMES_FILE] = _write_names(copy, folder)
            source.rollback()
    finally:
        for path in (scratch, wal_path(scratch)):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return rows


_HELD = {
    "dataset": "VARCHAR",
    "width": "VARCHAR",
    "start": "BIGINT",
    "fetched_at": "BIGINT",
    "grouped": "VARCHAR",
    "compared_at": "BIGINT",
    "grew": "BOOLEAN",
}
_DIFFERENCE = {
    "dataset": "VARCHAR",
    "width": "VARCHAR",
    "start": "BIGINT",
    "metric": "VARCHAR",
    "unit": "VARCHAR",
    "local_value": "VARCHAR",
    "server_value": "VARCHAR",
}


def _copy_held(copy: _Copy, span: Span) -> dict[str, list[BucketWidth]]:
    """Copy the table of stored buckets; return the widths of each dataset and further grain that has any."""
    copy.create("held", _HELD)
    listed = ", ".join(_HELD)
    widths_of: dict[str, list[BucketWidth]] = {}
    names = sorted(row[0] for row in copy.source.execute("SELECT DISTINCT dataset FROM held").fetchall())
    for dataset in map(stored_dataset, filter(is_stored_dataset, names)):
        for width in dataset.widths:
            count = copy.rows(
                f"SELECT {listed} FROM held LEFT JOIN comparison USING (dataset, width, start, fetched_at)"
                " WHERE dataset = ? AND width = ? AND start >= ? AND start <= ? ORDER BY start",
                [dataset.name, width.value, span.start, span.end - width.seconds],
                "held",
                _HELD,
            )
            if count:
                widths_of.setdefault(dataset.name, []).append(width)
    return widths_of


def _write_held(copy: _Copy, folder: Path) -> int:
    sources = {"bucket_width": "width", "bucket_start": _time("start")}
    sources |= {name: _time(name) for name in ("fetched_at", "compared_at")}
    copy.write(_selected(HELD_COLUMNS, sources, "held"), folder / HELD_FILE)
    return _count(copy.target, "held")


def _write_differences(copy: _Copy, folder: Path) -> int:
    """Write the differences of the buckets in the target's table `held`."""
    copy.create("difference", _DIFFERENCE)
    copy.rows(f"SELECT {', '.join(_DIFFERENCE)} FROM difference ORDER BY rowid", [], "difference", _DIFFERENCE)
    sources = {"bucket_width": "width", "bucket_start": _time("start")}
    copy.target.execute(
        "CREATE TABLE chosen_difference AS SELECT * FROM difference SEMI JOIN held USING (dataset, width, start)"
    )
    copy.write(_selected(DIFFERENCE_COLUMNS, sources, "chosen_difference"), folder / DIFFERENCES_FILE)
    return _count(copy.target, "chosen_difference")


def _copy_names(copy: _Copy, names: Sequence[Name]) -> None:
    kinds = {"kind": "VARCHAR", "id": "VARCHAR", "name": "VARCHAR", "seen": "BIGINT", "deleted": "BOOLEAN"}
    kinds["last_used"] = "BIGINT"
    copy.create("name", kinds)
    copy.create("occurring", {"kind": "VARCHAR", "id": "VARCHAR"})
    if names:
        copy.target.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?, ?)",
            [[name.kind, name.id, name.name, name.seen, name.deleted, name.last_used] for name in names],
        )


def _write_names(copy: _Copy, folder: Path) -> int:
    """Write the names of ids that occur, and of ids with the same names, which are needed to distinguish them."""
    copy.target.execute(
        "CREATE TABLE chosen AS SELECT * FROM name WHERE (kind, name) IN"
        " (SELECT (kind, name) FROM name SEMI JOIN occurring USING (kind, id)) ORDER BY kind, id"
    )
    sources = {"last_seen": _time("seen"), "last_used": _time("last_used")}
    copy.write(_selected(NAME_COLUMNS, sources, "chosen"), folder / NAMES_FILE)
    return _count(copy.target, "chosen")


def _write_dataset(copy: _Copy, dataset: Dataset, widths: Sequence[BucketWidth], span: Span, folder: Path) -> int:
    dimensions = {item.name: "VARCHAR" for item in dataset.dimensions}
    combinations, facts = combination_table(dataset), f"facts_{dataset.name}"
    listed = ", ".join(map(quoted, ["id", *dimensions]))
    copy.create(combinations, {"id": "INTEGER", **dimensions})
    copy.rows(f"SELECT {listed} FROM {quoted(combinations)}", [], combinations, {"id": "INTEGER", **dimensions})
    metrics = {item.name: DECIMAL if item.kind is Kind.DECIMAL else "BIGINT" for item in dataset.metrics}
    columns = {"width": "VARCHAR", "bucket": "BIGINT", "combination": "INTEGER", **metrics, "extra": "VARCHAR"}
    copy.create(facts, columns)
    for width in widths:
        selected = ", ".join(
            f"{quoted(name)}{'::VARCHAR' if kind == DECIMAL else ''} AS {quoted(name)}"
            for name, kind in columns.items()
            if name != "width"
        )
        for start, end in _windows(copy.source, fact_table(dataset, width), width, span):
            copy.rows(
                f"SELECT '{width.value}' AS width, {selected} FROM {quoted(fact_table(dataset, width))}"
                " WHERE bucket >= ? AND bucket < ?",
                [start, end],
                facts,
                columns,
            )
    for item in dataset.dimensions:
        if item.names:
            copy.target.execute(
                f"INSERT INTO occurring SELECT DISTINCT '{item.names}', {quoted(item.name)}"
                f" FROM {quoted(combinations)} SEMI JOIN {quoted(facts)} ON combination = id"
            )
    copy.write(_select_dataset(dataset, combinations, facts), folder / dataset_file(dataset))
    return _count(copy.target, facts)


def _windows(source: Connection, table: str, width: BucketWidth, span: Span) -> Iterator[tuple[int, int]]:
    """Yield the start and end of windows of whole buckets within `span`, with about ROWS_AT_A_TIME facts each."""
    first, last = width.ceil(span.start), width.floor(span.end)
    counts = source.execute(
        f"SELECT count(*), count(DISTINCT bucket) FROM {quoted(table)} WHERE bucket >= ? AND bucket < ?",
        [first, last],
    ).fetchall()
    rows, buckets = counts[0]
    step = max(1, ROWS_AT_A_TIME * buckets // rows) * width.seconds if rows else max(1, last - first)
    for start in range(first, last, step):
        yield start, min(start + step, last)


def _select_dataset(dataset: Dataset, combinations: str, facts: str) -> str:
    sources = {
        "bucket_start": _time("facts.bucket"),
        "bucket_width": "facts.width",
        "fetched_at": _time("held.fetched_at"),
    }
    joins = [
        f"{quoted(facts)} AS facts JOIN {quoted(combinations)} AS cell ON facts.combination = cell.id",
        f"held ON held.dataset = '{dataset.name}' AND held.width = facts.width AND held.start = facts.bucket",
    ]
    text = " JOIN ".join(joins)
    for number, item in enumerate(dataset.dimensions):
        sources[item.name] = f"cell.{quoted(item.name)}"
        if item.names:
            sources[name_column(item.name)] = f"name{number}.name"
            text += (
                f" LEFT JOIN name AS name{number} ON name{number}.kind = '{item.names}'"
                f" AND name{number}.id = cell.{quoted(item.name)}"
            )
    for name in (*(metric.name for metric in dataset.metrics), "extra"):
        sources[name] = f"facts.{quoted(name)}"
    order = "facts.width, facts.bucket, facts.combination"
    return f"{_selected(dataset_columns(dataset), sources, text)} ORDER BY {order}"


def _selected(columns: Mapping[str, SnapshotColumn], sources: Mapping[str, str], table: str) -> str:
    listed = ", ".join(
        f"({sources.get(name, quoted(name))})::{column.kind} AS {quoted(name)}" for name, column in columns.items()
    )
    return f"SELECT {listed} FROM {table}"


def _time(seconds: str) -> str:
    return f"make_timestamp({seconds} * 1000000)"


def _count(cursor: Connection, table: str) -> int:
    count: int = cursor.execute(f"SELECT count(*) FROM {quoted(table)}").fetchall()[0][0]
    return count
