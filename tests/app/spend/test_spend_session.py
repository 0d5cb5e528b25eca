"""A session computes spend from fetched costs and usage: what it fetches, computes again, keeps and leaves out."""

from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.app.test_unavailable import failing
from tests.rigs.sessions import DAY, NOW, SessionRig, days, fetch, single, sums
from usage_viewer.app.export.provenance import provenance_of
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.table import FigureColumn
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import NOT_AVAILABLE, Filter
from usage_viewer.store import Store

SPEND = days("10-21", "10-25", dataset_name="spend", grouping=(), columns=("amount",))
COSTS = SPEND.with_dataset("costs").with_grouping(())
COMPUTED = {"spend", "costs", *(name for name in API_DATASETS if name not in ("vector_stores", "costs"))}


def total(session: StoreSession, view: ViewState = SPEND) -> Decimal:
    column = session.look(view).table.by_name["amount"]
    assert isinstance(column, FigureColumn)
    return Decimal(column.total or 0)


def signatures(session: StoreSession) -> dict[int, str]:
    with store_of(session).database.cursor() as cursor:
        return dict(cursor.execute("SELECT start, signature FROM attributed").fetchall())


def store_of(session: StoreSession) -> Store:
    return session._store


def test_fetch_of_spend_fetches_costs_and_usage_by_day(rig: SessionRig) -> None:
    session = rig.session()
    steps = fetch(session, SPEND)
    requests = rig.take_requests()
    assert {request.path for request in requests} == {API_DATASETS[name].path for name in COMPUTED - {"spend"}}
    assert {single("bucket_width", request) for request in requests} == {"1d"}
    assert (steps[-1].done, steps[-1].total) == (len(requests), len(requests))
    assert session.coverage(SPEND).complete
    fetch(session, SPEND)
    assert rig.take_requests() == []


def test_spend_adds_up_to_the_costs(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    assert total(session) == total(session, COSTS) > 0
    by_day = sums(session.look(SPEND.with_grouping(("line_item",)).with_per(Granularity.DAY)), "amount")
    assert by_day == sums(session.look(COSTS.with_grouping(("line_item",)).with_per(Granularity.DAY)), "amount")
    batch = Filter("batch", frozenset(["true"]))
    without = Filter("batch", frozenset(["true"]), exclude=True)
    parts = [total(session, SPEND.with_filter(chosen)) for chosen in (batch, without)]
    assert sum(parts) == total(session)
    assert all(parts)


def test_batches_have_half_the_price(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    view = replace(SPEND, columns=("price", "amount")).with_grouping(("line_item", "batch", "service_tier"))
    prices = sums(session.look(view), "price")
    batches = {line: price for (line, batch, *_), price in prices.items() if batch == "true"}
    assert len(batches) > 5
    for (line, batch, tier, *_), price in prices.items():
        if batch == "false" and line in batches and tier in (None, "default"):
            assert batches[line] * 2 == price


def test_credit_is_a_row_with_its_reason(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    rows = sums(session.look(SPEND.with_grouping(("model", "reason", "service"))), "amount")
    assert rows[None, "credit", None] == Decimal("-2.5") * 5
    labels = session.look(SPEND.with_grouping(("reason",))).table.groups[0].labels
    assert "credit" in labels


def test_only_days_that_changed_are_attributed_again(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    session.look(SPEND)
    before, changes = signatures(session), store_of(session).changes("spend")
    assert len(before) == 5
    assert changes == 1
    session.look(SPEND.with_grouping(("user_id",)))
    assert store_of(session).changes("spend") == changes, "nothing has changed"
    restated = min(before) + 2 * DAY
    with store_of(session).database.transaction() as cursor:
        cursor.execute("UPDATE usage_costs_1d SET amount = amount * 2 WHERE bucket = ?", [restated])
        cursor.execute("UPDATE held SET digest = digest + 1 WHERE dataset = 'costs' AND start = ?", [restated])
    day = days("10-22", "10-22", dataset_name="images", grouping=())
    list(session.fetch(day, refresh=Refresh.ALL))
    assert total(session) == total(session, COSTS)
    after = signatures(session)
    assert {start for start in after if after[start] != before[start]} == {restated}
    assert store_of(session).changes("spend") == changes + 1


def test_spend_is_kept_over_a_restart_without_network(rig: SessionRig) -> None:
    first = rig.session()
    fetch(first, SPEND)
    expected = sums(first.look(SPEND.with_grouping(("user_id", "model"))), "amount")
    first.close()
    second = rig.session(connected=False)
    assert sums(second.look(SPEND.with_grouping(("user_id", "model"))), "amount") == expected
    assert store_of(second).changes("spend") == 0, "the kept days were computed again"
    assert second.coverage(SPEND).complete


def test_day_without_costs_or_usage_is_missing(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    longer = days("10-18", "10-25", dataset_name="costs", grouping=())
    fetch(session, longer)
    fetch(session, replace(days("10-24", "10-26"), per=Granularity.DAY))
    wide = days("10-18", "10-26", dataset_name="spend", grouping=(), columns=("amount",))
    coverage = session.coverage(wide)
    assert (coverage.stored, coverage.expected) == (5, 9)
    assert total(session, wide) == total(session, COSTS)
    fetch(session, wide)
    assert session.coverage(wide).complete
    assert total(session, wide) == total(session, wide.with_dataset("costs").with_grouping(()))


def test_without_the_right_to_costs_usage_works_and_spend_says_why(rig: SessionRig) -> None:
    session = rig.session()
    rig.server.faults = failing("costs", 403)
    with pytest.raises(UsageViewerError) as raised:
        fetch(session, SPEND)
    assert session.unavailable_datasets["spend"] == session.unavailable_datasets["costs"] == raised.value
    usage = SPEND.with_dataset("completions").with_columns(("input_tokens",))
    fetch(session, usage)
    assert session.look(usage).coverage.complete
    assert total(session) == 0


def test_usage_that_is_not_available_is_left_out(rig: SessionRig) -> None:
    session = rig.session()
    rig.server.faults = failing("images", 403)
    fetch(session, SPEND)
    assert list(session.unavailable_datasets) == ["images"]
    assert session.coverage(SPEND).complete
    assert total(session) == total(session, COSTS) > 0


@pytest.mark.parametrize("refused", [("user_id",), ("api_key_id",), ("user_id", "api_key_id")])
def test_refused_dimensions_leave_the_sums_of_models_exact(rig: SessionRig, refused: tuple[str, ...]) -> None:
    full = rig.session()
    fetch(full, SPEND)
    by_model = SPEND.with_grouping(("model", "batch"))
    expected = sums(full.look(by_model), "amount")
    full.close()
    rig.path = None
    rig.server.refused = RefusedGroupings.of(*refused)
    session = rig.session()
    fetch(session, SPEND)
    rows = sums(session.look(by_model), "amount")
    assert rows.keys() == expected.keys()
    for key, amount in expected.items():
        assert abs(rows[key] - amount) < Decimal("1e-6")
    assert total(session) == total(session, COSTS)
    users = sums(session.look(SPEND.with_grouping(refused)), "amount")
    assert (NOT_AVAILABLE,) * len(refused) in users


def test_snapshot_has_spend(rig: SessionRig, tmp_path: Path) -> None:
    from usage_viewer.store.snapshot.reader import load_snapshot

    session = rig.session()
    fetch(session, SPEND)
    folder = tmp_path / "snapshot"
    folder.mkdir()
    rows = session.save_snapshot(SPEND, folder)
    assert rows["spend.parquet"] > 100
    view = SPEND.with_grouping(("user_id", "model", "reason"))
    store = load_snapshot(folder, [path.name for path in folder.iterdir()])
    with closing(StoreSession.of_snapshot(store, ["costs", "completions"], saved_at=NOW)) as opened:
        assert sums(opened.look(view), "amount") == sums(session.look(view), "amount")
        assert "spend" not in opened.unavailable_datasets


def test_spend_is_verified_as_its_costs(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    rig.take_requests()
    outcome = session.verify(SPEND)
    assert {request.path for request in rig.take_requests()} == {API_DATASETS["costs"].path}
    assert (
        outcome.completeness == session.completeness(SPEND) == session.completeness(COSTS.with_per(Granularity.DAY))
    )


def test_source_line_says_that_spend_is_computed(rig: SessionRig) -> None:
    result = rig.session(connected=False).look(SPEND)
    line = provenance_of(SPEND, result.coverage, Names()).text
    assert line.startswith("Usage Viewer · Spend (computed from costs and usage) · 2026-10-21")


def test_hours_and_zones_are_shown_by_utc_day(rig: SessionRig) -> None:
    session = rig.session()
    fetch(session, SPEND)
    result = session.look(SPEND.with_per(Granularity.HOUR).with_zone("Europe/Berlin"))
    assert result.effective_view.per is Granularity.DAY
    assert "Spend are" not in " ".join(result.notes)
    assert store_of(session).stored_buckets("spend").keys() == {BucketWidth.DAY}
