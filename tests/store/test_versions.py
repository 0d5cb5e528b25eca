"""Tests files written by other versions: older ones are migrated, newer ones refused."""

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import duckdb
import pytest

from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import StoreNewer
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import GroupColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store
from usage_viewer.store.engine.schema import MIGRATIONS

FILES: Final = Path(__file__).with_name("files")
T0: Final = 1_793_491_200
"""2026-11-01 00:00 UTC: the files have the three days before."""

DAY: Final = 86400
VERSIONS: Final = range(1, len(MIGRATIONS) + 1)


def unpack(version: int, path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.decompress((FILES / f"version-{version}.duckdb.gz").read_bytes()))
    return path


def version_of(path: Path) -> list[tuple[int]]:
    connection = duckdb.connect(str(path))
    try:
        return connection.execute("SELECT version FROM meta").fetchall()
    finally:
        connection.close()


def tokens(session: StoreSession) -> dict[object, object]:
    """Return the input tokens of each project."""
    view = ViewState(
        range=DateRange(None, datetime(2026, 10, 29), datetime(2026, 11, 1)),
        per=Granularity.TOTAL,
        grouping=("project_id",),
        columns=("input_tokens",),
    )
    table = session.look(view).table
    (column,) = (head for head in table.heads if isinstance(head, GroupColumn))
    figures = table.figures[0].figures.listed()
    return {column.values[code]: figure for code, figure in zip(column.codes.tolist(), figures, strict=True)}


def amount(session: StoreSession) -> object:
    view = ViewState(
        dataset_name="costs",
        range=DateRange(None, datetime(2026, 10, 31), datetime(2026, 11, 1)),
        per=Granularity.TOTAL,
        grouping=(),
        columns=("amount",),
    )
    return session.look(view).table.figures[0].figures.at(0)


@pytest.mark.parametrize("version", VERSIONS)
def test_older_file_keeps_everything(version: int, path: Path) -> None:
    unpack(version, path)
    assert version_of(path) == [(version,)], "the test file has another version"
    for _ in range(2):
        store = Store.open(path)
        session = StoreSession(store, clock=lambda: T0 + 60 * DAY)
        stored = store.stored_buckets("completions")[BucketWidth.DAY]
        assert stored.starts.tolist() == [T0 - 3 * DAY, T0 - 2 * DAY, T0 - DAY]
        assert stored.fetched.tolist() == [T0 + 30 * DAY] * 3
        assert tokens(session) == {"proj_1": 2**53 + 1 + 2**62, None: 5}
        assert amount(session) == Decimal("0.1234567890123456789")
        names = [(name.name, name.last_used) for name in store.names().by_id.values()]
        assert names == [("Search", 1_790_000_000 if version >= 4 else None)]
        assert store.grants("completions").never_granted(["batch", "api_source"]) == ("api_source",)
        ranged = Refusal(frozenset(["api_key_id"]), "api_key_id", None, T0 - 3 * DAY, 5, T0 - 2 * DAY)
        assert store.grants("costs") == Grants((ranged,) if version >= 5 else ())
        assert store.extras("completions").figures == ("extra.mood",)
        compared = store.comparisons.of("completions", BucketWidth.DAY)
        has_comparisons = version >= 3
        assert compared.at.starts.tolist() == ([T0 - 3 * DAY, T0 - 2 * DAY] if has_comparisons else [])
        assert set(compared.at.fetched.tolist()) == ({T0 + 31 * DAY} if has_comparisons else set())
        marks = store.comparisons.marks("completions").values()
        values = [(item.local_value, item.server_value) for mark in marks for item in mark]
        assert values == ([(2**62, 5)] if has_comparisons else [])
        store.close()
    assert version_of(path) == [(len(MIGRATIONS),)]


def test_newer_file_is_refused_and_unchanged(path: Path) -> None:
    before = unpack(1000, path).read_bytes()
    with pytest.raises(StoreNewer) as raised:
        Store.open(path)
    assert raised.value.title == "The local database was written by a newer version"
    assert "--data-dir" in raised.value.hint
    assert raised.value.detail == f"Version 1000; this program knows versions up to {len(MIGRATIONS)}."
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
