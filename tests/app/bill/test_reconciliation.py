"""Bill and usage of the stand-in server are compared: each difference with its reason, none if they agree."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from tests.app.test_unavailable import failing
from tests.rigs.edited_answers import Row, billed_usage_only, edited
from tests.rigs.sessions import NOW, SessionRig, days, sums
from usage_viewer.app.bill.reconciliation import (
    AGREES,
    NO_COSTS,
    NOT_PROVEN,
    ONE_ORGANIZATION,
    Reconciliation,
    bill_view,
    load_reconciliation,
    residual_view,
    usage_view,
)
from usage_viewer.app.bill.reconciliation_table import difference_table, summary_lines
from usage_viewer.app.session.combined import CombinedSession
from usage_viewer.app.snapshot.archive import SnapshotProfile, save_snapshot
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.query.spend.quantity_differences import DifferenceReason

CLEAN = days("11-02", "11-08", dataset_name="completions")
Reasons = set[tuple[str, str, DifferenceReason]]


def reasons(found: Reconciliation) -> Reasons:
    """Return day, line item and reason of each difference."""
    return {
        (datetime.fromtimestamp(one.start, UTC).date().isoformat(), line, one.difference.reason)
        for one in found.differences
        for line in one.line_items
    }


def test_clean_organization_has_no_differences_and_says_so(rig: SessionRig) -> None:
    rig.server.faults = edited({"costs": billed_usage_only})
    found = load_reconciliation(rig.session(), CLEAN)
    assert (found.differences, found.problem, found.error, found.days) == ([], "", None, 7)
    assert found.agrees
    assert found.line_items > 60
    assert summary_lines(found) == [
        f"{found.line_items} line items on 7 days compared with the usage. {AGREES}",
        NOT_PROVEN,
    ]
    assert difference_table(found).rows == 0


def test_storage_evals_credits_and_a_model_that_usage_lacks(rig: SessionRig) -> None:
    session = rig.session()
    found = load_reconciliation(session, CLEAN)
    assert {(line, reason) for _, line, reason in reasons(found)} == {
        ("Vector storage", DifferenceReason.NO_COUNTERPART),
        ("complimentary daily tokens", DifferenceReason.CREDIT),
        ("evals | gpt-4o-mini-2024-07-18, input", DifferenceReason.EVALS),
        ("evals | gpt-4o-mini-2024-07-18, output", DifferenceReason.EVALS),
        ("gpt-4.5-preview-2025-02-27, input", DifferenceReason.USAGE_NOT_FETCHED),
        ("gpt-4.5-preview-2025-02-27, output", DifferenceReason.USAGE_NOT_FETCHED),
    }
    of_day = [one for one in found.differences if one.line_items == ("Vector storage",)]
    assert len(of_day) == 7
    shown = sums(session.look(residual_view(CLEAN, NOW)), "amount")
    without_usage = sum((amount for (reason,), amount in shown.items() if reason is not None), Decimal())
    assert sum((one.amount for one in found.residuals), Decimal()) == without_usage != 0
    assert sum((amount for one in found.differences for _, amount in one.amounts), Decimal()) == without_usage


def test_free_tokens_are_not_billed(rig: SessionRig) -> None:
    rig.server.faults = edited({"costs": billed_usage_only})
    found = load_reconciliation(rig.session(), days("10-18", "10-22"))
    expected = {"flex | gpt-5.4-mini", *(f"gpt-5.4-mini, {kind}" for kind in ("input", "cached input", "output"))}
    assert reasons(found) == {("2026-10-20", line, DifferenceReason.FREE_TOKENS) for line in expected}
    assert all(one.difference.excess is not None and one.difference.excess < 0 for one in found.differences)


def test_batches_of_a_late_day_are_billed_on_the_next_one(rig: SessionRig) -> None:
    def named(day: str, row: Row) -> Row | None:
        # A line item that only its quantities tell needs more days on which they are equal.
        return None if " decide" in (row["line_item"] or "") else billed_usage_only(day, row)

    rig.server.faults = edited({"costs": named})
    found = load_reconciliation(rig.session(), days("11-09", "11-15"))
    assert {(day, reason) for day, _, reason in reasons(found)} == {
        ("2026-11-12", DifferenceReason.BATCH_ON_COMPLETION),
        ("2026-11-13", DifferenceReason.BATCH_ON_COMPLETION),
    }


def test_bill_of_a_recent_day_is_not_final(rig: SessionRig) -> None:
    def half(day: str, row: Row) -> Row | None:
        is_late = day == "2026-11-18" and row["line_item"] == "o5, input"
        return billed_usage_only(day, row | {"quantity": row["quantity"] // 2} if is_late else row)

    rig.server.faults = edited({"costs": half})
    found = load_reconciliation(rig.session(), days("11-14", "11-20"))
    assert reasons(found) == {("2026-11-18", "o5, input", DifferenceReason.LATE_DAY)}


def test_usage_of_a_lost_page_is_missing(rig: SessionRig) -> None:
    rig.server.faults = edited(
        {"costs": billed_usage_only, "embeddings": lambda day, row: None if day == "2026-11-05" else row}
    )
    found = load_reconciliation(rig.session(), CLEAN)
    assert {(day, reason) for day, _, reason in reasons(found)} == {
        ("2026-11-05", DifferenceReason.USAGE_NOT_FETCHED)
    }
    assert all(line.startswith("text-embedding") for _, line, _ in reasons(found))
    assert all(one.difference.used == 0 and usage_view(one) is not None for one in found.differences)


def test_renamed_model_is_named(rig: SessionRig) -> None:
    def rename(day: str, row: Row) -> Row:
        return row | {"model": "o5-internal"} if (day, row["model"]) == ("2026-11-05", "o5") else row

    rig.server.faults = edited({"costs": billed_usage_only, "completions": rename})
    found = load_reconciliation(rig.session(), CLEAN)
    assert {(day, reason) for day, _, reason in reasons(found)} == {("2026-11-05", DifferenceReason.RENAMED_MODEL)}
    assert all(line.startswith("o5, ") for _, line, _ in reasons(found))
    assert {one.difference.other_model for one in found.differences} == {"o5-internal"}
    view = usage_view(found.differences[0])
    assert view is not None
    assert view.filters[0].values == {"o5", "o5-internal"}


def test_views_of_a_difference_have_its_amount_and_its_usage(rig: SessionRig) -> None:
    session = rig.session()
    found = load_reconciliation(session, days("10-18", "10-22"))
    for one in found.differences:
        if one.difference.reason is DifferenceReason.FREE_TOKENS:
            billed = session.look(bill_view(one)).table
            assert billed.figure("amount").total == one.amounts[0][1]
            assert billed.figure("quantity").total == one.difference.billed
            view = usage_view(one)
            assert view is not None
            assert session.look(view).table.rows > 0
    credit = next(one for one in found.differences if one.difference.reason is DifferenceReason.CREDIT)
    assert usage_view(credit) is None


def test_amounts_of_several_currencies_are_rows_of_their_own(tmp_path: Path) -> None:
    world = SyntheticOrganization(anchor=NOW, currencies=("usd", "eur"))
    with DemoServer(world, clock=lambda: NOW) as server:
        rig = SessionRig(server, tmp_path / "usage.duckdb")
        session = rig.session()
        found = load_reconciliation(session, days("10-19", "10-21"))
        mixed = [one for one in found.differences if len(one.amounts) == 2]
        assert mixed
        assert {currency for currency, _ in mixed[0].amounts} == {"EUR", "USD"}
        table = difference_table(found)
        assert table.rows == sum(len(one.amounts) for one in found.differences)
        billed = table.figure("billed").figures.total()
        assert billed == sum(one.difference.billed or 0 for one in found.differences)
        session.close()


def test_range_without_costs_and_several_organizations_are_explained(rig: SessionRig) -> None:
    session = rig.session(connected=False)
    found = load_reconciliation(session, CLEAN)
    assert (found.problem, found.agrees, found.differences) == (NO_COSTS, False, ())
    combined = CombinedSession({"one": session}, {"one": "One"}, clock=lambda: NOW)
    found = load_reconciliation(combined, CLEAN)
    assert summary_lines(found) == [ONE_ORGANIZATION]


def test_error_of_the_server_is_kept_beside_the_stored_days(rig: SessionRig) -> None:
    session = rig.session()
    load_reconciliation(session, CLEAN)
    rig.server.faults = failing("completions", 400)
    found = load_reconciliation(session, replace(CLEAN, range=days("11-02", "11-09").range))
    assert found.error is not None
    assert found.days >= 7
    assert found.differences


def test_snapshot_has_the_same_differences(rig: SessionRig, tmp_path: Path) -> None:
    session = rig.session()
    found = load_reconciliation(session, CLEAN)
    save_snapshot(session, CLEAN, tmp_path / "week.zip")
    saved = SnapshotProfile(tmp_path / "week.zip").open_session()
    again = load_reconciliation(saved, CLEAN)
    saved.close()
    assert reasons(again) == reasons(found) != set()
    assert again.residuals == found.residuals
    assert again.error is None
