"""Tests that a store replaces whole buckets atomically and keeps them after reopening."""

import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.rigs.usage import answer_view
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, StoreDamaged, StoreError, StoreNewer
from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.domain.names import Name
from usage_viewer.domain.network_errors import WrongShape
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store
from usage_viewer.store.engine.digests import renew_every_digest

T0, HOUR, DAY = 1_793_491_200, 3600, 86400
FETCHED = T0 + 100 * DAY
METRICS = ("num_model_requests", "input_tokens", "input_cached_tokens")

Make = Callable[..., Any]


class TestPut:
    def test_put_replaces_whole_buckets(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        first = make_usage(T0, 72, seed=1)
        second = make_usage(T0 + 10 * HOUR, 20, seed=2)
        store.put(first.batch(), FETCHED)
        store.put(second.batch(), FETCHED + 60)
        replaced = set(second.starts)
        rows = [*(row for row in first.rows if row.bucket not in replaced), *second.rows]
        view = ViewState(range=between(), per=Granularity.HOUR, grouping=("model", "user_id"), columns=METRICS)
        assert shown(ask(store, view)) == oracle(rows, view, METRICS)
        assert store.rows("completions") == len(rows)
        buckets = store.stored_buckets("completions")[BucketWidth.HOUR]
        assert buckets.starts.tolist() == first.starts
        assert [
            start for start, at in zip(first.starts, buckets.fetched.tolist(), strict=True) if at > FETCHED
        ] == (second.starts)

    def test_put_removes_the_rows_of_a_bucket_without_usage(self, store: Store, make_usage: Make) -> None:
        usage = make_usage(T0, 2, idle=0)
        store.put(usage.batch(), FETCHED)
        usage.rows = [row for row in usage.rows if row.bucket != T0]
        store.put(usage.batch(), FETCHED)
        assert store.rows("completions") == len(usage.rows) > 0
        assert len(store.stored_buckets("completions")[BucketWidth.HOUR].starts) == 2

    def test_next_answer_has_the_new_buckets(
        self, store: Store, make_usage: Make, ask: Make, between: Make
    ) -> None:
        view = ViewState(range=between(T0, T0 + DAY), per=Granularity.HOUR, grouping=("model",))
        for index in range(24):
            before = ask(store, view)
            store.put(make_usage(T0 + index * HOUR, 1, seed=index, idle=0).batch(), FETCHED)
            after = ask(store, view)
            assert (after.figures[0].total or 0) > (before.figures[0].total or 0)

    def test_failed_put_changes_nothing(self, path: Path, make_usage: Make) -> None:
        stored = make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs", seed=1)
        broken = make_usage(T0 + DAY, 5, width=BucketWidth.DAY, dataset="costs", seed=2)
        broken.rows[-1].figures["quantity"] = Decimal("1E20")
        with_new_values = [
            row for row in broken.rows if row.combination not in {item.combination for item in stored.rows}
        ]
        assert with_new_values, "the batch must have new combinations"
        store = Store.open(path)
        store.put(stored.batch(), FETCHED)
        values = {
            item.name: store.values("costs", item.name)
            for item in ViewState("costs", grouping=()).dataset.dimensions
        }
        with pytest.raises(WrongShape):
            store.put(broken.batch(), FETCHED + 60)
        for _ in range(2):
            assert store.rows("costs") == len(stored.rows)
            buckets = store.stored_buckets("costs")[BucketWidth.DAY]
            assert (buckets.starts.tolist(), set(buckets.fetched.tolist())) == (stored.starts, {FETCHED})
            for name, before in values.items():
                assert set(store.values("costs", name)) == set(before)
            store.close()
            store = Store.open(path)
        store.close()

    def test_put_succeeds_after_a_failed_one(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        broken = make_usage(T0, 2, width=BucketWidth.DAY, dataset="costs", seed=1, idle=0)
        broken.rows[-1].figures["quantity"] = Decimal("1E20")
        with pytest.raises(WrongShape):
            store.put(broken.batch(), FETCHED)
        valid = make_usage(T0, 2, width=BucketWidth.DAY, dataset="costs", seed=2, idle=0)
        store.put(valid.batch(), FETCHED)
        grouping = ("line_item", "project_id", "currency")
        view = ViewState("costs", between(T0, T0 + 2 * DAY), Granularity.DAY, grouping, columns=("amount",))
        assert shown(ask(store, view)) == oracle(valid.rows, view, ("amount",))

    def test_repeated_combination_is_summed(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        usage = make_usage(T0, 24)
        usage.rows += usage.rows[:40]
        store.put(usage.batch(), FETCHED)
        for per in (Granularity.HOUR, Granularity.TOTAL):
            view = ViewState(range=between(T0, T0 + DAY), per=per, columns=METRICS)
            view = view.with_grouping(view.dataset.group_by)
            assert shown(ask(store, view)) == oracle(usage.rows, view, METRICS)

    def test_put_of_no_bucket_does_nothing(self, store: Store, make_usage: Make) -> None:
        store.put(make_usage(T0, 0).batch(), FETCHED)
        assert store.stored_buckets("completions") == {}


class TestReopening:
    def test_everything_remains_after_reopening(
        self, path: Path, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        usage = make_usage()
        usage.rows += usage.rows[:1]  # a repeated combination must remain too
        store = Store.open(path)
        store.put(usage.batch(), FETCHED)
        refusal = Refusal(frozenset(["batch", "user_id"]), "user_id", None, T0, FETCHED)
        store.learn("completions", [refusal])
        store.remember([Name("user", "u1", "Ann", 5, last_used=7)])
        store.close()
        store = Store.open(path)
        buckets = store.stored_buckets("completions")
        assert list(buckets) == [BucketWidth.HOUR]
        assert buckets[BucketWidth.HOUR].starts.tolist() == usage.starts
        assert store.grants("completions") == Grants((refusal,))
        assert store.names().by_id == {("user", "u1"): Name("user", "u1", "Ann", 5, last_used=7)}
        view = ViewState(range=between(), per=Granularity.HOUR, columns=METRICS)
        view = view.with_grouping(view.dataset.group_by)
        assert shown(ask(store, view)) == oracle(usage.rows, view, METRICS)
        later = make_usage(T0 + 72 * HOUR, 24, seed=9)
        store.put(later.batch(), FETCHED)
        assert store.rows("completions") == len(usage.rows) + len(later.rows)
        store.close()

    def test_columns_missing_in_an_older_file_are_added(
        self, path: Path, make_usage: Make, ask: Make, between: Make, shown: Make
    ) -> None:
        store = Store.open(path)
        store.put(make_usage(T0, 24).batch(), FETCHED)
        store.close()
        connection = duckdb.connect(str(path))
        connection.execute('ALTER TABLE "usage_completions_1h" DROP COLUMN input_cached_tokens')
        connection.execute("ALTER TABLE combination_completions DROP COLUMN api_source")
        renew_every_digest(connection)  # an earlier version of the program didn't have the columns
        connection.close()
        store = Store.open(path)
        view = ViewState(range=between(T0, T0 + DAY), grouping=("api_source",), columns=("input_cached_tokens",))
        assert shown(ask(store, view)) == {(None,): {"input_cached_tokens": None}}
        store.put(make_usage(T0, 24).batch(), FETCHED)
        assert ask(store, view).figures[0].total is not None
        store.close()

    def test_newer_file_is_refused_and_unchanged(self, path: Path) -> None:
        Store.open(path).close()
        connection = duckdb.connect(str(path))
        connection.execute("UPDATE meta SET version = 1000")
        connection.close()
        before = path.read_bytes()
        with pytest.raises(StoreNewer):
            Store.open(path)
        assert path.read_bytes() == before


class TestSetAside:
    def test_damaged_file_is_renamed(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_text("damaged")
        path.with_name("usage.duckdb.wal").write_text("its log")
        with pytest.raises(StoreDamaged):
            Store.open(path)
        aside = Store.set_aside(path)
        assert aside.read_text() == "damaged"
        assert aside.with_name(aside.name + ".wal").read_text() == "its log"
        assert aside.name.startswith("usage.damaged-2")
        Store.open(path).close()
        assert Store.set_aside(path) != aside, "the first file must not be overwritten"

    def test_no_file_is_an_error(self, path: Path) -> None:
        with pytest.raises(StoreError):
            Store.set_aside(path)


class TestValues:
    def test_values_are_all_ever_stored(self, store: Store, make_usage: Make) -> None:
        assert store.values("completions", "model") == ()
        store.put(make_usage().batch(), FETCHED)
        assert set(store.values("completions", "batch")) == {"true", "false"}
        assert None in store.values("completions", "model")

    def test_values_remain_without_usage(self, store: Store, make_usage: Make) -> None:
        usage = make_usage(T0, 1)
        store.put(usage.batch(), FETCHED)
        before = store.values("completions", "user_id")
        usage.rows = []
        store.put(usage.batch(), FETCHED)
        assert store.values("completions", "user_id") == before


class TestRefused:
    def test_refused_dimensions_are_cleared_by_dataset(self, store: Store) -> None:
        tier, batch = (Refusal(frozenset([name]), name) for name in ("service_tier", "batch"))
        store.learn("completions", [tier])
        store.learn("completions", [replace(tier, learnt_at=5), batch])
        assert store.grants("completions") == Grants((replace(tier, learnt_at=5), batch))
        assert store.grants("costs") == Grants()
        store.forget_refusals("completions")
        assert store.grants("completions") == Grants()


class TestNames:
    def test_deleted_names_remain(self, path: Path) -> None:
        store = Store.open(path)
        store.remember([Name("user", "u1", "Ann", 100), Name("user", "u2", "Bob", 100)])
        store.remember([Name("user", "u2", "Robert", 200)])
        store.mark_deleted("user", 200)
        for _ in range(2):
            assert set(store.names().by_id.values()) == {
                Name("user", "u1", "Ann", 100, deleted=True),
                Name("user", "u2", "Robert", 200),
            }
            store.close()
            store = Store.open(path)
        store.close()


class TestErase:
    def test_erased_store_is_empty_and_usable(self, path: Path, make_usage: Make, ask: Make, between: Make) -> None:
        store = Store.open(path)
        view = ViewState(range=between())
        for _ in range(2):
            store.put(make_usage().batch(), FETCHED)
            store.learn("completions", [Refusal(frozenset(["batch"]), "batch")])
            store.remember([Name("user", "u1", "Ann", 100)])
            assert ask(store, view).rows > 0
            store.erase()
            assert (store.stored_buckets("completions"), store.rows("completions")) == ({}, 0)
            assert (store.grants("completions"), store.names().by_id) == (Grants(), {})
            assert store.values("completions", "model") == ()
            assert ask(store, view).rows == 0
        store.put(make_usage().batch(), FETCHED)
        store.close()
        assert b"user_id-a" in path.read_bytes()
        store = Store.open(path)
        store.erase()
        store.close()
        assert b"user_id-a" not in path.read_bytes()
        store = Store.open(path)
        assert store.stored_buckets("completions") == {}
        store.close()


class TestThreads:
    def test_answers_during_a_put_have_whole_buckets(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        """Each answer equals one of the versions: no bucket is read in part."""
        versions = [make_usage(T0, 24, seed=seed, idle=0) for seed in range(4)]
        view = ViewState(range=between(T0, T0 + DAY), columns=METRICS, grouping=("model", "project_id"))
        expected = [oracle(usage.rows, view, METRICS) for usage in versions]
        store.put(versions[0].batch(), FETCHED)
        ended, failures = threading.Event(), []

        def put() -> None:
            try:
                for turn in range(16):
                    store.put(versions[turn % 4].batch(), FETCHED + turn)
            except StoreError as error:
                failures.append(error)
            ended.set()

        writer = threading.Thread(target=put)
        writer.start()
        answers = 0
        while not ended.is_set() or answers < 5:
            assert shown(ask(store, view)) in expected
            answers += 1
        writer.join()
        assert not failures
        assert shown(ask(store, view)) == expected[3]

    def test_threads_put_at_the_same_time(self, store: Store, make_usage: Make) -> None:
        def put(first: int) -> None:
            for hour in range(5):
                store.put(make_usage(T0 + (first * 5 + hour) * HOUR, 1, seed=first).batch(), FETCHED)

        threads = [threading.Thread(target=put, args=(index,)) for index in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.stored_buckets("completions")[BucketWidth.HOUR].starts) == 30
        assert store.rows("completions") == 30 * 30

    def test_cancelled_answer_stops(self, store: Store, make_usage: Make, between: Make) -> None:
        store.put(make_usage().batch(), FETCHED)
        view, cancel = ViewState(range=between()), Cancellation()
        cancel.cancel()
        with pytest.raises(Cancelled):
            answer_view(store, view, cancel=cancel)
        assert answer_view(store, view, cancel=Cancellation()).rows > 0

    def test_closed_store_refuses_calls(self, make_usage: Make, ask: Make) -> None:
        store = Store.open(None)
        store.close()
        store.close()
        with pytest.raises(StoreError):
            store.rows("completions")
        with pytest.raises(StoreError):
            store.put(make_usage().batch(), FETCHED)
