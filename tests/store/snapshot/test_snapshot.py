"""Tests that a snapshot answers as its store does, that its files are plain tables, and that damage is reported."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.coverage import cover
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import Cancelled, SnapshotDamaged, StoreError
from usage_viewer.domain.figures import Number
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.names import LONGEST_NAME, MOST_NAMES, NEVER, Name
from usage_viewer.domain.period import BucketWidth, Granularity, Span
from usage_viewer.domain.table import FigureColumn, GroupColumn, Table
from usage_viewer.domain.verification import Bucket, Difference
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Filter
from usage_viewer.store import Store
from usage_viewer.store.comparison_index import Comparison
from usage_viewer.store.snapshot.format import dataset_columns
from usage_viewer.store.snapshot.reader import load_snapshot
from usage_viewer.store.snapshot.writer import save_snapshot

if TYPE_CHECKING:
    from tests.rigs.usage import Ask, Between, CoverageOf, MakeUsage

T0 = 1_793_491_200
DAY = 86400
NOW = T0 + 400 * DAY
SPAN = Span(T0, T0 + 3 * DAY)


def names_in(folder: Path) -> list[str]:
    """Return what a manifest of the snapshot names: all of its files."""
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def filled(store: Store, make_usage: "MakeUsage") -> Store:
    """Return a store of three datasets, several widths and fetch times, with names and buckets outside SPAN."""
    for dataset, width, buckets in (
        ("completions", BucketWidth.HOUR, 80),
        ("completions", BucketWidth.DAY, 5),
        ("costs", BucketWidth.DAY, 4),
        ("vector_stores", BucketWidth.HOUR, 75),
    ):
        rows = 3 if dataset == "vector_stores" else 8
        first, half = T0 - width.seconds, buckets // 2
        make = partial(make_usage, width=width, dataset=dataset, rows_each=rows)
        store.put(make(first, buckets, seed=3).batch(), NOW - 50)
        store.put(make(first + half * width.seconds, buckets - half, seed=4).batch(), NOW - 20)
    store.remember(
        [
            Name("project", "project_id-a", "Search", 5, last_used=NEVER),
            Name("project", "project_id-b", "Chat", 6, deleted=True, last_used=1_790_000_000),
            Name("project", "elsewhere", "Search", 7),
            Name("project", "nowhere", "Secret", 8),
        ]
    )
    return store


REFUSAL = Refusal(frozenset(["api_source", "batch"]), "api_source", None, NOW, 5)


@pytest.fixture
def saved(filled: Store, tmp_path: Path) -> Path:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    save_snapshot(filled, folder, SPAN)
    return folder


@pytest.fixture
def opened(saved: Path) -> Iterator[Store]:
    with closing(load_snapshot(saved, names_in(saved), {"completions": [REFUSAL]})) as store:
        yield store


def _content(table: Table) -> object:
    heads = [
        [(column.values[code], column.labels[code]) for code in column.codes.tolist()]
        if isinstance(column, GroupColumn)
        else column.codes.tolist()
        for column in table.heads
    ]
    figures = [column.figures.listed() for column in table.figures]
    rows = sorted(zip(*heads, *figures, strict=True), key=repr) if table.rows else []
    return [column.name for column in table.columns], rows, [column.total for column in table.figures]


def _listed(table: Table, name: str) -> list[Number | None]:
    column = table.by_name[name]
    assert isinstance(column, FigureColumn)
    return column.figures.listed()


def _random_view(chance: Random) -> ViewState:
    name = chance.choice(["completions", "completions", "costs", "vector_stores"])
    data = DATASETS[name]
    names = [item.name for item in data.dimensions]
    first = datetime.fromtimestamp(T0, UTC).replace(tzinfo=None)
    hours = sorted(chance.sample(range(73), 2)) if name != "costs" else [24 * day for day in (0, 3)]
    filters = tuple(
        Filter(item, frozenset(chance.sample([None, f"{item}-a", f"{item}-b"], 2)), chance.random() < 0.5)
        for item in chance.sample(names, chance.randrange(2))
    )
    return ViewState(
        name,
        DateRange(None, first + timedelta(hours=hours[0]), first + timedelta(hours=hours[1])),
        chance.choice([Granularity.TOTAL, Granularity.DAY] if name == "costs" else list(Granularity)[1:]),
        tuple(chance.sample(names, chance.randrange(len(names) + 1))),
        filters,
        chance.choice(["", "", "search", "-a"]),
        columns=tuple(column.name for column in data.columns),
        zone="UTC" if name == "costs" else chance.choice(["UTC", "Europe/Berlin"]),
    )


def test_snapshot_answers_as_its_store(filled: Store, opened: Store, ask: "Ask") -> None:
    rows = 0
    for seed in range(120):
        view = _random_view(Random(seed))
        if view.periods(NOW).span.start < SPAN.start:
            view = replace(view, zone="UTC")
        table = ask(opened, view, opened.names())
        assert _content(table) == _content(ask(filled, view, filled.names())), seed
        rows += table.rows
    assert rows > 1000


def test_coverage_and_fetch_times_remain(
    filled: Store, opened: Store, coverage: "CoverageOf", between: "Between"
) -> None:
    for dataset in ("completions", "costs", "vector_stores"):
        view = ViewState(dataset, between(), Granularity.DAY, grouping=())
        before, after = coverage(filled, view), coverage(opened, view)
        assert after.stored == 3
        assert replace(after, periods=before.periods) == before
        for width, stored in opened.stored_buckets(dataset).items():
            inside = (stored.starts >= SPAN.start) & (stored.starts + width.seconds <= SPAN.end)
            assert inside.all()
            assert (filled.stored_buckets(dataset)[width].find(stored.starts) == stored.fetched).all()
    idle = ViewState("completions", between(T0 - 3600, T0 + 3 * DAY), Granularity.HOUR, grouping=())
    assert coverage(opened, idle).stored == 72  # without the hour before the snapshot's span
    assert opened.grants("completions") == Grants((REFUSAL,))


def test_names_are_those_that_occur_and_those_with_equal_names(opened: Store) -> None:
    by_id = opened.names().by_id
    assert {key[1] for key in by_id} == {"project_id-a", "project_id-b", "elsewhere"}
    assert by_id["project", "project_id-a"].last_used == NEVER
    assert by_id["project", "project_id-b"] == Name(
        "project", "project_id-b", "Chat", 6, deleted=True, last_used=1_790_000_000
    )


READER = """
import json, sys
import duckdb
folder = sys.argv[1]
def one(sql):
    return duckdb.sql(sql.replace("FOLDER", folder.replace("'", "''"))).fetchall()
print(json.dumps({
    "columns": one("DESCRIBE SELECT * FROM 'FOLDER/completions.parquet'"),
    "sum": str(one("SELECT sum(input_tokens) FROM 'FOLDER/completions.parquet' WHERE bucket_width = '1h'")[0][0]),
    "money": str(one("SELECT sum(amount) FROM 'FOLDER/costs.parquet'")[0][0]),
    "first": str(one("SELECT min(bucket_start) FROM 'FOLDER/completions.parquet'")[0][0]),
    "names": one("SELECT DISTINCT project_id, project_id_name FROM 'FOLDER/completions.parquet' ORDER BY ALL"),
    "held": one("SELECT dataset, bucket_width, count(*) FROM 'FOLDER/held.parquet' GROUP BY ALL ORDER BY ALL"),
}))
"""


def test_another_process_reads_the_files(saved: Path, filled: Store, ask: "Ask", between: "Between") -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-c", READER, str(saved)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    read = json.loads(ran.stdout)
    described = {row[0]: row[1] for row in read["columns"]}
    assert described == {name: column.kind for name, column in dataset_columns(DATASETS["completions"]).items()}
    view = ViewState("completions", between(), Granularity.HOUR, grouping=())
    hourly = _listed(ask(filled, view), "input_tokens")
    assert int(read["sum"]) == sum(value or 0 for value in hourly)
    costs = ask(filled, ViewState("costs", between(), grouping=("currency", "quantity_unit")))
    assert Decimal(read["money"]) == sum(value or 0 for value in _listed(costs, "amount"))
    assert read["first"] == "2026-11-01 00:00:00"
    assert ["project_id-a", "Search"] in read["names"]
    assert ["project_id-b", "Chat"] in read["names"]
    assert read["held"] == [
        ["completions", "1d", 3],
        ["completions", "1h", 72],
        ["costs", "1d", 3],
        ["vector_stores", "1h", 72],
    ]


def test_empty_store_is_saved(store: Store, tmp_path: Path) -> None:
    rows = save_snapshot(store, tmp_path, SPAN)
    assert rows == {"held.parquet": 0, "names.parquet": 0, "differences.parquet": 0}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "differences.parquet",
        "held.parquet",
        "names.parquet",
    ]
    with closing(load_snapshot(tmp_path, names_in(tmp_path))) as opened:
        assert opened.stored_buckets("completions") == {}


def test_reported_counts_are_the_rows_of_the_files(filled: Store, tmp_path: Path) -> None:
    reported = save_snapshot(filled, tmp_path, SPAN)
    with closing(duckdb.connect()) as connection:
        counts = {
            path.name: connection.execute(f"SELECT count(*) FROM '{path}'").fetchall()[0][0]
            for path in tmp_path.iterdir()
        }
    assert reported == counts


def _rewrite(path: Path, select: str) -> None:
    """Replace a file by the rows of `select`, which reads the old ones as `plain`."""
    with closing(duckdb.connect()) as connection:
        connection.execute(
            f"CREATE TABLE plain AS SELECT * FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
        )
        connection.execute(f"COPY ({select}) TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")


def _compare(store: Store) -> tuple[Difference, ...]:
    """Record comparisons of the first three days; the second differs, the third grew."""
    days = T0 + np.arange(-1, 3, dtype=np.int64) * DAY
    buckets = [Bucket(start, BucketWidth.DAY) for start in days.tolist()]
    differing = tuple(Difference(bucket, "input_tokens", 2**62, 1) for bucket in buckets[:3:2])
    marks = {item.bucket: (item,) for item in differing} | {buckets[3]: ()}
    fetched = store.stored_buckets("completions")[BucketWidth.DAY].find(days)
    store.record_comparison(Comparison("completions", BucketWidth.DAY, days, fetched, NOW, marks))
    return differing


def test_comparisons_of_the_saved_buckets_are_kept(filled: Store, tmp_path: Path) -> None:
    _, inside = _compare(filled)
    assert save_snapshot(filled, tmp_path, SPAN)["differences.parquet"] == 1
    with closing(load_snapshot(tmp_path, names_in(tmp_path))) as opened:
        compared = opened.comparisons.of("completions", BucketWidth.DAY)
        stored = filled.comparisons.of("completions", BucketWidth.DAY)
        assert compared.at.starts.tolist() == [T0, T0 + DAY, T0 + 2 * DAY]
        assert compared.at.fetched.tolist() == stored.at.fetched[1:].tolist()
        assert compared.fetched.fetched.tolist() == stored.fetched.fetched[1:].tolist()
        third = Bucket(T0 + 2 * DAY, BucketWidth.DAY)
        assert opened.comparisons.marks("completions") == {inside.bucket: (inside,), third: ()}
        again = tmp_path / "again"
        again.mkdir()
        save_snapshot(opened, again, SPAN)
    with closing(load_snapshot(again, names_in(again))) as opened:
        assert (
            opened.comparisons.of("completions", BucketWidth.DAY).at.starts.tolist() == compared.at.starts.tolist()
        )


def test_snapshot_of_an_earlier_version_has_no_comparisons(filled: Store, tmp_path: Path) -> None:
    _compare(filled)
    save_snapshot(filled, tmp_path, SPAN)
    (tmp_path / "differences.parquet").unlink()
    _rewrite(tmp_path / "held.parquet", "SELECT * EXCLUDE (compared_at, grew) FROM plain")
    with closing(load_snapshot(tmp_path, names_in(tmp_path))) as opened:
        assert not len(opened.comparisons.of("completions", BucketWidth.DAY).at.starts)
        assert opened.stored_buckets("completions")[BucketWidth.DAY].starts.tolist() == [T0, T0 + DAY, T0 + 2 * DAY]


def test_difference_that_is_not_a_number_is_damage(filled: Store, tmp_path: Path) -> None:
    _compare(filled)
    save_snapshot(filled, tmp_path, SPAN)
    _rewrite(tmp_path / "differences.parquet", "SELECT * REPLACE ('much' AS local_value) FROM plain")
    with pytest.raises(SnapshotDamaged, match="not a number"):
        load_snapshot(tmp_path, names_in(tmp_path))


HELD, NAMES, COSTS, USAGE = "held.parquet", "names.parquet", "costs.parquet", "completions.parquet"

DAMAGE: tuple[tuple[str, Callable[[Path], object]], ...] = (
    ("costs.parquet", lambda folder: (folder / COSTS).write_bytes((folder / COSTS).read_bytes()[:-20])),
    ("held.parquet", lambda folder: (folder / HELD).write_text("not parquet at all")),
    ("names.parquet", lambda folder: (folder / NAMES).write_bytes(b"")),
    ("completions.parquet is missing", lambda folder: (folder / USAGE).unlink()),
    ("names.parquet is missing", lambda folder: (folder / NAMES).rename(folder / "other")),
    ("lacks bucket_width", lambda folder: _rewrite(folder / HELD, "SELECT 1 AS dataset")),
    (
        "a bucket occurs twice",
        lambda folder: _rewrite(folder / HELD, "SELECT * FROM plain UNION ALL (SELECT * FROM plain LIMIT 1)"),
    ),
    (
        "a bucket does not start at a multiple of its width",
        lambda folder: _rewrite(
            folder / HELD, "SELECT * REPLACE (bucket_start + INTERVAL 1 SECOND AS bucket_start) FROM plain"
        ),
    ),
    (
        "usage in a bucket that held.parquet doesn't have",
        lambda folder: _rewrite(
            folder / USAGE, "SELECT * REPLACE (bucket_start + INTERVAL 700 DAY AS bucket_start) FROM plain"
        ),
    ),
    (
        "usage in a bucket that held.parquet doesn't have",
        lambda folder: _rewrite(folder / USAGE, "SELECT * REPLACE ('1m' AS bucket_width) FROM plain"),
    ),
    (
        "'many'",
        lambda folder: _rewrite(folder / USAGE, "SELECT * REPLACE ('many' AS input_tokens) FROM plain"),
    ),
    (
        "NOT NULL",
        lambda folder: _rewrite(folder / USAGE, "SELECT * REPLACE (NULL::TIMESTAMP AS bucket_start) FROM plain"),
    ),
)


def test_damage_is_reported(saved: Path, tmp_path: Path) -> None:
    for number, (problem, damage) in enumerate(DAMAGE):
        folder = tmp_path / str(number)
        shutil.copytree(saved, folder)
        damage(folder)
        with pytest.raises(SnapshotDamaged, match=re.escape(problem)):
            load_snapshot(folder, names_in(folder))


def test_unknown_and_missing_columns_are_ignored(
    saved: Path, filled: Store, ask: "Ask", between: "Between"
) -> None:
    _rewrite(saved / "completions.parquet", "SELECT * EXCLUDE (input_image_tokens), 1 AS novel FROM plain")
    view = ViewState(range=between(), columns=("input_tokens", "input_image_tokens"))
    with closing(load_snapshot(saved, names_in(saved))) as opened:
        table = ask(opened, view)
        assert _content(ask(opened, view.with_columns(["input_tokens"]))) == _content(
            ask(filled, view.with_columns(["input_tokens"]))
        )
        assert set(_listed(table, "input_image_tokens")) == {None}


def test_loaded_store_reads_no_other_file(saved: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n")
    with (
        closing(load_snapshot(saved, names_in(saved))) as opened,
        opened.database.cursor() as cursor,
        pytest.raises(duckdb.Error),
    ):
        cursor.execute(f"SELECT * FROM read_csv('{outside}')")


def test_cancelled_save_leaves_no_file(filled: Store, tmp_path: Path) -> None:
    cancel = Cancellation()
    cancel.cancel()
    with pytest.raises(Cancelled):
        save_snapshot(filled, tmp_path, SPAN, cancel)
    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_an_error(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        save_snapshot(filled, tmp_path / "file" / "below", SPAN)


def test_snapshot_has_no_later_buckets(
    saved: Path, filled: Store, make_usage: "MakeUsage", between: "Between"
) -> None:
    filled.put(make_usage(T0, 72, seed=9).batch(), NOW)
    view = ViewState(range=between(), per=Granularity.HOUR)
    with closing(load_snapshot(saved, names_in(saved))) as opened:
        periods = view.periods(NOW)
        newest = cover(periods, periods.segments(), opened.stored_buckets("completions"), NOW).newest_fetch
        assert newest is not None
        assert newest < NOW


@pytest.mark.parametrize(
    ("select", "words"),
    [
        (f"SELECT * REPLACE (repeat('x', {LONGEST_NAME + 1}) AS name)", "more than 4096 characters"),
        (f"SELECT * REPLACE (repeat('x', {LONGEST_NAME + 1}) || id AS id)", "more than 4096 characters"),
        (f"SELECT * EXCLUDE (n) REPLACE (id || n AS id) FROM range({MOST_NAMES}) AS m(n),", "at most"),
    ],
)
def test_too_many_or_too_long_names_are_refused(saved: Path, select: str, words: str) -> None:
    source, more = saved / "names.parquet", saved / "more.parquet"
    names = duckdb.read_parquet(str(source))
    rows = duckdb.sql(f"{select}{' names' if select.endswith(',') else ' FROM names'}")
    assert rows is not None
    rows.write_parquet(str(more))
    assert len(names) > 0
    more.replace(source)
    with pytest.raises(SnapshotDamaged, match=words):
        load_snapshot(saved, names_in(saved))
