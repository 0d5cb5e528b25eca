"""Writing a snapshot: what is held of a stretch of time, copied out of the database into plain Parquet files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS, Dataset, Kind
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketWidth, Span
from usage_viewer.store.engine.database import Connection, Database, wal_of
from usage_viewer.store.engine.schema import DECIMAL, combination_table, fact_table, quoted
from usage_viewer.store.snapshot.format import (
    HELD_COLUMNS,
    HELD_FILE,
    NAME_COLUMNS,
    NAMES_FILE,
    PlainColumn,
    columns_of,
    file_of,
    name_column,
)
from usage_viewer.store.store import Store

SCRATCH = "scratch.duckdb"
ROWS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class _Copy:
    """From one database to another: the engine may not attach files, so columns go through memory, in pieces."""

    source: Connection
    target: Connection
    cancel: Cancellation

    def rows(self, select: str, values: Sequence[object], table: str, columns: Mapping[str, str]) -> int:
        """Appends what `select` gives to `table`; `columns` are its names and kinds."""
        self.cancel.check()
        found = self.source.execute(select, values).fetchnumpy()
        count = len(next(iter(found.values())))
        if count:
            cast = ", ".join(f"{quoted(name)}::{kind}" for name, kind in columns.items())
            self.target.register("piece", found)
            self.target.execute(f"INSERT INTO {quoted(table)} SELECT {cast} FROM piece")
            self.target.unregister("piece")
        return count

    def create(self, table: str, columns: Mapping[str, str]) -> None:
        listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        self.target.execute(f"CREATE TABLE {quoted(table)} ({listed})")

    def write(self, select: str, path: Path) -> None:
        self.cancel.check()
        target = str(path).replace("'", "''")
        self.target.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def save_snapshot(store: Store, folder: Path, span: Span, cancel: Cancellation | None = None) -> dict[str, int]:
    """Writes into the empty `folder` what is held of buckets that lie within `span` whole, as of one moment.

    Returns each file's rows. Raises Cancelled, StoreError (StoreNotWritable where `folder` can't be written).
    """
    cancel = cancel or Cancellation()
    scratch = folder / SCRATCH
    rows: dict[str, int] = {}
    try:
        with (
            closing(Database(scratch, folder=folder)) as database,
            database.cursor(cancel) as target,
            store.database.cursor() as source,
        ):
            source.begin()  # so that all of it is of one moment
            copy = _Copy(source, target, cancel)
            held = _copy_held(copy, span)
            rows[HELD_FILE] = sum(map(len, held.values()))
            _write_held(copy, folder)
            _copy_names(copy, list(store.names().by_id.values()))
            for name, widths in held.items():
                rows[file_of(DATASETS[name])] = _write_dataset(copy, DATASETS[name], widths, span, folder)
            rows[NAMES_FILE] = _write_names(copy, folder)
            source.rollback()
    finally:
        for path in (scratch, wal_of(scratch)):
            with suppress(OSError):
                path.unlink(missing_ok=True)
    return rows


_HELD = {"dataset": "VARCHAR", "width": "VARCHAR", "start": "BIGINT", "fetched_at": "BIGINT", "grouped": "VARCHAR"}


def _copy_held(copy: _Copy, span: Span) -> dict[str, list[BucketWidth]]:
    """Which widths are held of each dataset."""
    copy.create("held", _HELD)
    listed = ", ".join(_HELD)
    held: dict[str, list[BucketWidth]] = {}
    for dataset in DATASETS.values():
        for width in dataset.widths:
            found = copy.rows(
                f"SELECT {listed} FROM held WHERE dataset = ? AND width = ? AND start >= ? AND start <= ?"
                " ORDER BY start",
                [dataset.name, width.value, span.start, span.end - width.seconds],
                "held",
                _HELD,
            )
            if found:
                held.setdefault(dataset.name, []).append(width)
    return held


def _write_held(copy: _Copy, folder: Path) -> None:
    sources = {"bucket_width": "width", "bucket_start": _time("start"), "fetched_at": _time("fetched_at")}
    copy.write(_selected(HELD_COLUMNS, sources, "held"), folder / HELD_FILE)


def _copy_names(copy: _Copy, names: Sequence[Name]) -> None:
    kinds = {"kind": "VARCHAR", "id": "VARCHAR", "name": "VARCHAR", "seen": "BIGINT", "deleted": "BOOLEAN"}
    copy.create("name", kinds)
    copy.create("occurring", {"kind": "VARCHAR", "id": "VARCHAR"})
    if names:
        copy.target.executemany(
            "INSERT INTO name VALUES (?, ?, ?, ?, ?)",
            [[name.kind, name.id, name.name, name.seen, name.deleted] for name in names],
        )


def _write_names(copy: _Copy, folder: Path) -> int:
    """The names of ids that occur, and of those they share a name with: these are told apart by it."""
    copy.target.execute(
        "CREATE TABLE wanted AS SELECT * FROM name WHERE (kind, name) IN"
        " (SELECT (kind, name) FROM name SEMI JOIN occurring USING (kind, id)) ORDER BY kind, id"
    )
    copy.write(_selected(NAME_COLUMNS, {"last_seen": _time("seen")}, "wanted"), folder / NAMES_FILE)
    return _count(copy.target, "wanted")


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
        for start, end in _stretches(copy.source, fact_table(dataset, width), width, span):
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
    copy.write(_select_dataset(dataset, combinations, facts), folder / file_of(dataset))
    return _count(copy.target, facts)


def _stretches(source: Connection, table: str, width: BucketWidth, span: Span) -> Iterator[tuple[int, int]]:
    """Start and end of stretches of whole buckets within `span`, of about ROWS_AT_A_TIME facts each."""
    first, last = width.ceil(span.start), width.floor(span.end)
    found = source.execute(
        f"SELECT count(*), count(DISTINCT bucket) FROM {quoted(table)} WHERE bucket >= ? AND bucket < ?",
        [first, last],
    ).fetchall()
    rows, buckets = found[0]
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
    return f"{_selected(columns_of(dataset), sources, text)} ORDER BY {order}"


def _selected(columns: Mapping[str, PlainColumn], sources: Mapping[str, str], table: str) -> str:
    listed = ", ".join(
        f"({sources.get(name, quoted(name))})::{column.kind} AS {quoted(name)}" for name, column in columns.items()
    )
    return f"SELECT {listed} FROM {table}"


def _time(seconds: str) -> str:
    return f"make_timestamp({seconds} * 1000000)"


def _count(cursor: Connection, table: str) -> int:
    count: int = cursor.execute(f"SELECT count(*) FROM {quoted(table)}").fetchall()[0][0]
    return count
