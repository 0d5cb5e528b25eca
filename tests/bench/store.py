"""Measures writing and opening a store, and its bytes a row, against Parquet files of the same rows."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
from data import DATASET, DIMENSIONS, FOLDER, NOW, HeldBuckets, million, weeks
from lines import Line, interleaved

from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
BLOCKS = (
    "The file is filled week by week; blocks of 256 kB that were written again stay in it, free for later data. "
    "Tried: a longer log before the file is written (kept, from 59 B), smaller blocks (2.2 × as large at 16 kB)."
)
HELD_TWICE = (
    "40 B are the figures that are kept for the next question, 24 B orders of rows; the rest is the engine's cache "
    "of the file. Tried: group codes of rows and derived figures only where they are looked at (52 B less)."
)


def measure() -> Iterator[Line]:
    held = million()
    yield _in_memory(held)
    yield _checked(held)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        yield from _written(Path(folder))
        yield from _on_disk(held, Path(folder))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def _in_memory(held: HeldBuckets) -> Line:
    """Return the memory for opening the store and showing every row, with the engine's own cache."""
    Store.open(None).close()  # the engine itself is loaded first
    before = _resident()
    session = StoreSession(Store.open(held.place.database), clock=lambda: float(NOW))
    look = session.look(ViewState(range=held.range, per=Granularity.HOUR, grouping=DIMENSIONS))
    rows = look.table.ordered(())
    taken = _resident() - before
    assert len(rows) == held.rows
    assert look.table.figure("input_tokens").total == held.total("input_tokens")
    session.close()
    return Line(
        "store 1M: memory a row, all rows shown", taken / held.rows, "B", "", None, "≤ 150 B", 150, note=HELD_TWICE
    )


def _checked(held: HeldBuckets) -> Line:
    """Return the time of comparing everything stored with its digests, beside reading one figure of every row."""
    store = Store.open(held.place.database)

    def read_one() -> None:
        with store.database.cursor() as cursor:
            table = f"usage_{DATASET}_1h"
            cursor.execute(f"SELECT bucket, sum(input_tokens) FROM {table} GROUP BY bucket").fetchall()

    taken = interleaved({"check": store.check, "read": read_one})
    store.close()
    return Line("store 1M: check of the digests", taken["check"], "ms", "one sum by bucket", taken["read"])


def _written(folder: Path) -> Iterator[Line]:
    batches = list(weeks())
    rows = sum(map(len, batches))
    begun = time.perf_counter()
    store = Store.open(folder / "usage.duckdb")
    for batch in batches:
        store.put(batch, NOW)
    store.close()
    yield Line("store: write, 53 weeks of hours", rows / (time.perf_counter() - begun), "rows/s")
    begun = time.perf_counter()
    store = Store.open(folder / "usage.duckdb")
    taken = (time.perf_counter() - begun) * 1000
    assert store.rows(DATASET) == rows
    store.close()
    yield Line("store: open", taken, "ms")


def _on_disk(held: HeldBuckets, folder: Path) -> Iterator[Line]:
    """Measures the file after writing week by week, and Parquet of the same columns with dimensions as texts."""
    copy = folder / "copy.duckdb"
    shutil.copy(held.place.database, copy)
    names = ", ".join(f"combination.{name}" for name in DIMENSIONS)
    target = folder / "rows.parquet"
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            f"COPY (SELECT {names}, fact.* EXCLUDE (combination) FROM usage_{DATASET}_1h AS fact"
            f" JOIN combination_{DATASET} AS combination ON combination.id = fact.combination ORDER BY bucket)"
            f" TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )
        found = connection.execute(f"SELECT count(*), sum(input_tokens) FROM '{target}'").fetchone()
    assert found == (held.rows, held.total("input_tokens"))
    ours, theirs = held.place.database.stat().st_size / held.rows, target.stat().st_size / held.rows
    yield Line(
        "store 1M: bytes a row on disk", ours, "B", "Parquet, zstd", theirs, "≤ 1.5 ×", 1.5 * theirs, note=BLOCKS
    )
