"""Tests the database file: permissions, isolation, cancellation, and typed errors."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from tests.rigs.load import slowdown
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import (
    Cancelled,
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreNewer,
    StoreNotWritable,
)
from usage_viewer.store.engine.database import Database, typed_errors, wal_path

ENDLESS = "SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000000) b"


class TestFiles:
    def test_only_the_owner_may_read_the_files(self, path: Path) -> None:
        database = Database(path)
        with database.transaction() as cursor:
            cursor.execute("CREATE TABLE t AS SELECT 1")
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600
        assert wal_path(path).stat().st_mode & 0o777 == 0o600
        database.close()
        path.chmod(0o644)
        Database(path).close()
        assert path.stat().st_mode & 0o777 == 0o600

    def test_empty_file_is_replaced(self, path: Path) -> None:
        path.parent.mkdir()
        path.touch()
        Database(path).close()
        assert path.stat().st_size > 0

    def test_many_writes_are_merged_into_the_file_once(self, path: Path) -> None:
        database = Database(path)
        with database.transaction() as cursor:
            cursor.execute("CREATE TABLE t (a BIGINT)")
        for _ in range(24):
            with database.transaction() as cursor:
                cursor.execute("INSERT INTO t SELECT hash(range) // 2 FROM range(100_000)")
        logged = wal_path(path).stat().st_size
        assert path.stat().st_size < 2**20 < 18 * 2**20 < logged < 2**25
        database.close()
        assert 18 * 2**20 < path.stat().st_size < logged * 1.2
        assert not wal_path(path).exists()


class TestQueries:
    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "COPY (SELECT 1) TO '/tmp/x.csv'",
            "INSTALL spatial",
            "LOAD spatial",
        ],
    )
    def test_queries_access_no_other_file_and_no_network(self, sql: str) -> None:
        database = Database(None)
        with pytest.raises(StoreError), database.cursor() as cursor:
            cursor.execute(sql)
        database.close()

    def test_cancelled_query_stops(self) -> None:
        database, cancel, elapsed = Database(None), Cancellation(), 0.0

        def stop() -> None:
            nonlocal elapsed
            time.sleep(0.1)
            elapsed = time.monotonic()
            cancel.cancel()

        thread = threading.Thread(target=stop)
        thread.start()
        with pytest.raises(Cancelled), database.cursor(cancel) as cursor:
            cursor.execute(ENDLESS)
        elapsed = time.monotonic() - elapsed
        thread.join()
        assert elapsed < 0.5 * slowdown()
        with database.cursor() as cursor:
            assert cursor.execute("SELECT 1").fetchall() == [(1,)], "the database must stay usable"
        database.close()

    def test_closing_stops_queries(self, path: Path) -> None:
        database, running, ended = Database(path), threading.Event(), []

        def query() -> None:
            try:
                with database.cursor() as cursor:
                    running.set()
                    cursor.execute(ENDLESS)
            except Cancelled as error:
                ended.append(error)

        thread = threading.Thread(target=query)
        thread.start()
        running.wait(5)
        time.sleep(0.1)
        database.close()
        thread.join(5)
        assert len(ended) == 1
        Database(path).close()  # the file is free again

    def test_queries_after_closing_are_refused(self) -> None:
        database = Database(None)
        database.close()
        database.close()
        with pytest.raises(StoreError, match="closed"), database.cursor():
            pytest.fail("a query of a closed database")


class TestRecreate:
    def test_no_byte_of_the_old_data_remains(self, path: Path) -> None:
        database = Database(path)
        with database.transaction() as cursor:
            cursor.execute("CREATE TABLE t AS SELECT 'a secret' AS word")
        with database.cursor() as cursor:
            cursor.execute("CHECKPOINT")
        assert b"a secret" in path.read_bytes()
        with database.transaction() as cursor:
            cursor.execute("INSERT INTO t VALUES ('another secret')")
        database.recreate()
        assert b"secret" not in path.read_bytes()
        assert not wal_path(path).exists()
        with database.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
        database.close()

    def test_running_queries_are_stopped(self, path: Path) -> None:
        database, running, ended = Database(path), threading.Event(), []

        def query() -> None:
            try:
                with database.cursor() as cursor:
                    running.set()
                    cursor.execute(ENDLESS)
            except Cancelled as error:
                ended.append(error)

        thread = threading.Thread(target=query)
        thread.start()
        running.wait(5)
        time.sleep(0.1)
        database.recreate()
        thread.join(5)
        assert len(ended) == 1
        database.close()


class TestTransaction:
    def test_failed_transaction_changes_nothing(self) -> None:
        database = Database(None)

        def fail() -> None:
            with database.transaction() as cursor:
                cursor.execute("CREATE TABLE t AS SELECT 1")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        with pytest.raises(StoreError), database.cursor() as cursor:
            cursor.execute("SELECT * FROM t")
        database.close()


class TestOpen:
    def test_file_open_in_another_process_is_locked(self, path: Path) -> None:
        Database(path).close()
        script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline().strip() == b"open"
            with pytest.raises(StoreLocked) as raised:
                Database(path)
            assert "--no-store" in raised.value.hint
            holder.communicate()
        Database(path).close()

    @pytest.mark.parametrize("content", [b"hello world" * 1000, b"x"])
    def test_other_files_are_reported_as_damaged(self, content: bytes, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(StoreDamaged):
            Database(path)
        assert path.read_bytes() == content, "the file must stay unchanged"

    @pytest.mark.parametrize("place", [0, 8, 100, 4196])
    def test_damaged_file_is_reported(self, place: int, path: Path) -> None:
        database = Database(path)
        with database.transaction() as cursor:
            cursor.execute("CREATE TABLE t AS SELECT range i FROM range(10000)")
        database.close()
        content = bytearray(path.read_bytes())
        content[place] ^= 0xFF
        path.write_bytes(content)
        with pytest.raises(StoreDamaged):
            Database(path)

    def test_truncated_file_is_reported(self, path: Path) -> None:
        database = Database(path)
        with database.transaction() as cursor:
            cursor.execute("CREATE TABLE t AS SELECT range i FROM range(10000)")
        database.close()
        path.write_bytes(path.read_bytes()[:20000])
        with pytest.raises(StoreDamaged):
            Database(path)

    def test_parent_that_is_no_directory_is_not_writable(self, tmp_path: Path) -> None:
        # Permissions don't apply to root, who may run these tests; a file as a parent directory does.
        (tmp_path / "file").touch()
        with pytest.raises(StoreNotWritable):
            Database(tmp_path / "file" / "usage.duckdb")
        with pytest.raises(StoreNotWritable):
            Database(tmp_path / "file" / "further" / "usage.duckdb")

    def test_directory_is_refused(self, path: Path) -> None:
        path.mkdir(parents=True)
        with pytest.raises(StoreError):
            Database(path)


@pytest.mark.parametrize(
    ("error", "typed"),
    [
        (duckdb.IOException("IO Error: Could not set lock on file x: Conflicting lock is held"), StoreLocked),
        (duckdb.IOException("IO Error: Cannot open file x: Permission denied"), StoreNotWritable),
        (
            duckdb.IOException("IO Error: Could not write all bytes to file x: No space left on device"),
            StoreNotWritable,
        ),
        (
            duckdb.InternalException("INTERNAL Error: Attempted to dereference unique_ptr that is NULL"),
            StoreDamaged,
        ),
        (duckdb.FatalException("FATAL Error: database has been invalidated because of a previous"), StoreDamaged),
        (duckdb.SerializationException("Failed to deserialize: expected end of object"), StoreDamaged),
        (duckdb.IOException("IO Error: Trying to read a database file with version number 99"), StoreNewer),
        (duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block"), StoreError),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), Cancelled),
        (duckdb.Error(), StoreError),
    ],
)
def test_engine_errors_become_typed_errors(error: duckdb.Error, typed: type[Exception]) -> None:
    with pytest.raises(typed) as raised, typed_errors():
        raise error
    assert type(raised.value) is typed
    assert raised.value.__cause__ is error
