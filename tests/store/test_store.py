"""A store keeps whole buckets, all or nothing, and what it keeps is there after the next start."""

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.errors import Cancelled, StoreDamaged, StoreError, StoreNewer, WrongShape
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.store import Store

T0, HOUR, DAY = 1_793_491_200, 3600, 86400
FETCHED = T0 + 100 * DAY
METRICS = ("num_model_requests", "input_tokens", "input_cached_tokens")

Make = Callable[..., Any]


class TestPut:
    def test_replaces_buckets_as_a_whole(
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
        held = store.held("completions")[BucketWidth.HOUR]
        assert held.starts.tolist() == first.starts
        assert [start for start, at in zip(first.starts, held.fetched.tolist(), strict=True) if at > FETCHED] == (
            second.starts
        )

    def test_with_a_bucket_that_is_idle_now_removes_its_rows(self, store: Store, make_usage: Make) -> None:
        usage = make_usage(T0, 2, idle=0)
        store.put(usage.batch(), FETCHED)
        usage.rows = [row for row in usage.rows if row.bucket != T0]
        store.put(usage.batch(), FETCHED)
        assert store.rows("completions") == len(usage.rows) > 0
        assert len(store.held("completions")[BucketWidth.HOUR].starts) == 2

    def test_is_seen_by_the_next_answer(self, store: Store, make_usage: Make, ask: Make, between: Make) -> None:
        view = ViewState(range=between(T0, T0 + DAY), per=Granularity.HOUR, grouping=("model",))
        for index in range(24):
            before = ask(store, view)
            store.put(make_usage(T0 + index * HOUR, 1, seed=index, idle=0).batch(), FETCHED)
            after = ask(store, view)
            assert (after.figures[0].total or 0) > (before.figures[0].total or 0)

    def test_that_fails_leaves_everything_as_it_was(self, path: Path, make_usage: Make) -> None:
        kept = make_usage(T0, 3, width=BucketWidth.DAY, dataset="costs", seed=1)
        broken = make_usage(T0 + DAY, 5, width=BucketWidth.DAY, dataset="costs", seed=2)
        broken.rows[-1].figures["quantity"] = Decimal("1E20")
        with_new_values = [
            row for row in broken.rows if row.combination not in {item.combination for item in kept.rows}
        ]
        assert with_new_values, "the batch has to have combinations of its own"
        store = Store.open(path)
        store.put(kept.batch(), FETCHED)
        values = {
            item.name: store.values("costs", item.name)
            for item in ViewState("costs", grouping=()).dataset.dimensions
        }
        with pytest.raises(WrongShape):
            store.put(broken.batch(), FETCHED + 60)
        for _ in range(2):
            assert store.rows("costs") == len(kept.rows)
            held = store.held("costs")[BucketWidth.DAY]
            assert (held.starts.tolist(), set(held.fetched.tolist())) == (kept.starts, {FETCHED})
            for name, before in values.items():
                assert set(store.values("costs", name)) == set(before)
            store.close()
            store = Store.open(path)
        store.close()

    def test_after_one_that_failed(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        broken = make_usage(T0, 2, width=BucketWidth.DAY, dataset="costs", seed=1, idle=0)
        broken.rows[-1].figures["quantity"] = Decimal("1E20")
        with pytest.raises(WrongShape):
            store.put(broken.batch(), FETCHED)
        good = make_usage(T0, 2, width=BucketWidth.DAY, dataset="costs", seed=2, idle=0)
        store.put(good.batch(), FETCHED)
        grouping = ("line_item", "project_id", "currency")
        view = ViewState("costs", between(T0, T0 + 2 * DAY), Granularity.DAY, grouping, columns=("amount",))
        assert shown(ask(store, view)) == oracle(good.rows, view, ("amount",))

    def test_adds_up_a_combination_that_is_there_twice(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        usage = make_usage(T0, 24)
        usage.rows += usage.rows[:40]
        store.put(usage.batch(), FETCHED)
        for per in (Granularity.HOUR, Granularity.TOTAL):
            view = ViewState(range=between(T0, T0 + DAY), per=per, columns=METRICS)
            view = view.with_grouping(view.dataset.group_by)
            assert shown(ask(store, view)) == oracle(usage.rows, view, METRICS)

    def test_of_nothing_does_nothing(self, store: Store, make_usage: Make) -> None:
        store.put(make_usage(T0, 0).batch(), FETCHED)
        assert store.held("completions") == {}


class TestReopening:
    def test_finds_everything(
        self, path: Path, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        usage = make_usage()
        usage.rows += usage.rows[:1]  # and that a combination is there twice
        store = Store.open(path)
        store.put(usage.batch(), FETCHED)
        store.refuse("completions", ["api_source", "batch"])
        store.remember([Name("user", "u1", "Ann", 5)])
        store.close()
        store = Store.open(path)
        held = store.held("completions")
        assert list(held) == [BucketWidth.HOUR]
        assert held[BucketWidth.HOUR].starts.tolist() == usage.starts
        assert store.refused("completions") == ("batch", "api_source")
        assert store.names().by_id == {("user", "u1"): Name("user", "u1", "Ann", 5)}
        view = ViewState(range=between(), per=Granularity.HOUR, columns=METRICS)
        view = view.with_grouping(view.dataset.group_by)
        assert shown(ask(store, view)) == oracle(usage.rows, view, METRICS)
        later = make_usage(T0 + 72 * HOUR, 24, seed=9)
        store.put(later.batch(), FETCHED)
        assert store.rows("completions") == len(usage.rows) + len(later.rows)
        store.close()

    def test_a_file_from_before_a_metric_was_known(
        self, path: Path, make_usage: Make, ask: Make, between: Make, shown: Make
    ) -> None:
        store = Store.open(path)
        store.put(make_usage(T0, 24).batch(), FETCHED)
        store.close()
        connection = duckdb.connect(str(path))
        connection.execute('ALTER TABLE "usage_completions_1h" DROP COLUMN input_cached_tokens')
        connection.execute("ALTER TABLE combination_completions DROP COLUMN api_source")
        connection.close()
        store = Store.open(path)
        view = ViewState(range=between(T0, T0 + DAY), grouping=("api_source",), columns=("input_cached_tokens",))
        assert shown(ask(store, view)) == {(None,): {"input_cached_tokens": None}}
        store.put(make_usage(T0, 24).batch(), FETCHED)
        assert ask(store, view).figures[0].total is not None
        store.close()

    def test_a_newer_file_is_refused_and_stays_as_it_is(self, path: Path) -> None:
        Store.open(path).close()
        connection = duckdb.connect(str(path))
        connection.execute("UPDATE meta SET version = 1000")
        connection.close()
        before = path.read_bytes()
        with pytest.raises(StoreNewer):
            Store.open(path)
        assert path.read_bytes() == before


class TestSetAside:
    def test_makes_room_for_a_new_file(self, path: Path) -> None:
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
        assert Store.set_aside(path) != aside, "the first one was written over"

    def test_of_nothing_says_so(self, path: Path) -> None:
        with pytest.raises(StoreError):
            Store.set_aside(path)


class TestValues:
    def test_are_all_ever_seen(self, store: Store, make_usage: Make) -> None:
        assert store.values("completions", "model") == ()
        store.put(make_usage().batch(), FETCHED)
        assert set(store.values("completions", "batch")) == {"true", "false"}
        assert None in store.values("completions", "model")

    def test_of_what_is_no_longer_used_stay(self, store: Store, make_usage: Make) -> None:
        usage = make_usage(T0, 1)
        store.put(usage.batch(), FETCHED)
        before = store.values("completions", "user_id")
        usage.rows = []
        store.put(usage.batch(), FETCHED)
        assert store.values("completions", "user_id") == before


class TestRefused:
    def test_is_by_dataset_and_can_be_forgotten(self, store: Store) -> None:
        store.refuse("completions", ["service_tier"])
        store.refuse("completions", ["service_tier", "batch"])
        assert store.refused("completions") == ("batch", "service_tier")
        assert store.refused("costs") == ()
        store.allow_all("completions")
        assert store.refused("completions") == ()


class TestNames:
    def test_survive_their_deletion(self, path: Path) -> None:
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
    def test_forgets_all_and_can_go_on(self, path: Path, make_usage: Make, ask: Make, between: Make) -> None:
        store = Store.open(path)
        view = ViewState(range=between())
        for _ in range(2):
            store.put(make_usage().batch(), FETCHED)
            store.refuse("completions", ["batch"])
            store.remember([Name("user", "u1", "Ann", 100)])
            assert ask(store, view).rows > 0
            store.erase()
            assert (store.held("completions"), store.rows("completions")) == ({}, 0)
            assert (store.refused("completions"), store.names().by_id) == ((), {})
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
        assert store.held("completions") == {}
        store.close()


class TestThreads:
    def test_answers_while_another_puts(
        self, store: Store, make_usage: Make, ask: Make, between: Make, shown: Make, oracle: Make
    ) -> None:
        """Each answer is of some moment: whole buckets, never a part of one."""
        versions = [make_usage(T0, 24, seed=seed, idle=0) for seed in range(4)]
        view = ViewState(range=between(T0, T0 + DAY), columns=METRICS, grouping=("model", "project_id"))
        wanted = [oracle(usage.rows, view, METRICS) for usage in versions]
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
            assert shown(ask(store, view)) in wanted
            answers += 1
        writer.join()
        assert not failures
        assert shown(ask(store, view)) == wanted[3]

    def test_that_both_put(self, store: Store, make_usage: Make) -> None:
        def put(first: int) -> None:
            for hour in range(5):
                store.put(make_usage(T0 + (first * 5 + hour) * HOUR, 1, seed=first).batch(), FETCHED)

        threads = [threading.Thread(target=put, args=(index,)) for index in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.held("completions")[BucketWidth.HOUR].starts) == 30
        assert store.rows("completions") == 30 * 30

    def test_a_cancelled_answer_ends(self, store: Store, make_usage: Make, coverage: Make, between: Make) -> None:
        store.put(make_usage().batch(), FETCHED)
        view, cancel = ViewState(range=between()), Cancellation()
        cancel.cancel()
        with pytest.raises(Cancelled):
            store.answer(view, coverage(store, view), store.names(), cancel)
        assert store.answer(view, coverage(store, view), store.names(), Cancellation()).rows > 0

    def test_nothing_is_answered_after_closing(self, store: Store, make_usage: Make, ask: Make) -> None:
        store.close()
        store.close()
        with pytest.raises(StoreError):
            store.rows("completions")
        with pytest.raises(StoreError):
            store.put(make_usage().batch(), FETCHED)
