"""A line item that a person has mapped is attributed so, until the mapping is removed; the file outlives damage."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.rigs.edited_answers import Row, edited
from tests.rigs.sessions import NOW, SessionRig, days, fetch, sums
from usage_viewer.app.bill.line_items import LineItem, line_item_table, list_line_items
from usage_viewer.app.bill.reconciliation import load_reconciliation
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.app.spend.line_mappings import LineMappings, by_hand
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.errors import StoreNotWritable
from usage_viewer.domain.spend import Match
from usage_viewer.keystore import MemoryKeystore
from usage_viewer.query.spend.quantity_differences import DifferenceReason

LINE = ("mystery", "tokens")
O5_INPUT = by_hand("completions", "o5", "input")
PRIORITY = by_hand("completions", "gpt-5.4", "input", "priority")
SPEND = days("11-04", "11-05", dataset_name="spend", grouping=("line_item", "model", "reason"), columns=("amount",))


def mystery(day: str, row: Row) -> Row:
    """Give a line item a name that says nothing. Two days are too few to find it by its quantities."""
    return row | {"line_item": "mystery"} if row["line_item"] == "o5, input" else row


@pytest.fixture
def session(organization: SyntheticOrganization, tmp_path: Path) -> Iterator[StoreSession]:
    with DemoServer(organization, clock=lambda: NOW) as server:
        server.faults = edited({"costs": mystery})
        session = SessionRig(server, tmp_path / "usage.duckdb").session()
        fetch(session, SPEND)
        yield session
        session.close()


def amounts(session: StoreSession) -> dict[tuple[object, ...], Decimal]:
    """Return what the line item billed, by model and reason."""
    found = sums(session.look(SPEND), "amount")
    return {key[1:]: amount for key, amount in found.items() if key[0] == "mystery" and amount is not None}


def item(session: StoreSession) -> LineItem:
    return next(one for one in list_line_items(session).items if one.key == LINE)


def test_mapped_line_item_is_attributed_again_until_the_mapping_is_removed(session: StoreSession) -> None:
    total = session.look(SPEND).table.figure("amount").total
    before = amounts(session)
    ((_, billed),) = before.items()
    assert before == {(None, "unrecognised"): billed}
    assert (item(session).known_by, item(session).is_recognized) == ("not recognized", False)
    session.mappings.set(LINE, O5_INPUT)
    assert amounts(session) == {("o5", None): billed}
    assert session.look(SPEND).table.figure("amount").total == total
    assert session.look(SPEND).notes == ("1 line item is mapped by hand.",)
    assert item(session).meaning.match is Match.BY_HAND
    assert (item(session).known_by, item(session).target_text) == ("by hand", "Completions · o5 · input")
    assert all(one.line_items != ("mystery",) for one in load_reconciliation(session, SPEND).differences)
    session.mappings.set(LINE, None)
    assert amounts(session) == {(None, "no_counterpart"): billed}
    reasons = {
        one.difference.reason
        for one in load_reconciliation(session, SPEND).differences
        if LINE in one.difference.lines
    }
    assert reasons == {DifferenceReason.NO_COUNTERPART}
    session.mappings.remove(LINE)
    assert amounts(session) == before
    assert session.look(SPEND).notes == ()


def test_quantities_tell_whether_a_mapping_is_right(session: StoreSession) -> None:
    found = list_line_items(session)
    assert "completions" in found.services("tokens")
    assert "images" not in found.services("tokens")
    assert "o5" in found.models("completions")
    assert found.equal_days(LINE, O5_INPUT) == (2, 2)
    assert found.equal_days(LINE, by_hand("completions", "o5", "output")) == (0, 2)
    assert set(found.tiers("completions", "o5")) >= {"default"}
    table = line_item_table(found)
    places = {name: column for name, column in table.by_name.items() if name in ("line_item", "match")}
    row = next(row for row in range(table.rows) if places["line_item"].value(row) == "mystery")
    assert places["match"].value(row) == "none"


def test_mappings_are_kept_beside_the_database(tmp_path: Path) -> None:
    database = tmp_path / "a" / "usage.duckdb"
    profile = Profile("default", base_url="http://127.0.0.1:1", database=database, keystore=MemoryKeystore)
    for line, target in ((LINE, PRIORITY), (("other", None), None)):
        session = profile.open_session()
        assert session.store_session is not None
        session.store_session.mappings.set(line, target)
        session.close()
    session = profile.open_session()
    assert session.store_session is not None
    assert session.store_session.mappings.by_line == {LINE: PRIORITY, ("other", None): None}
    session.close()
    assert (tmp_path / "a" / "line-items.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[1, {}, null]", b'{"a": 1}', b"[" * 100_000, b"\xff\xfe"])
def test_damaged_file_is_no_mapping_and_can_be_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "line-items.json"
    file.write_bytes(content)
    mappings = LineMappings(file)
    assert mappings.by_line == {}
    mappings.set(LINE, O5_INPUT)
    assert LineMappings(file).by_line == {LINE: O5_INPUT}
    copy = tmp_path / "line-items.damaged.json"
    assert copy.exists() == (content[:2] != b"[1")
    assert not copy.exists() or copy.read_bytes() == content


def test_entry_of_a_later_version_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "line-items.json"
    target = {"service": "dreams", "model": None, "measure": "input", "tier": None}
    later = {"line_item": "x", "quantity_unit": None, "target": target}
    file.write_text(json.dumps([later]))
    mappings = LineMappings(file)
    mappings.set(LINE, None)
    mappings.remove(LINE)
    assert json.loads(file.read_text()) == [later]


def test_mapping_that_cannot_be_saved_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    mappings = LineMappings(tmp_path / "a file" / "line-items.json")
    with pytest.raises(StoreNotWritable, match=r"line-items\.json"):
        mappings.set(LINE, O5_INPUT)
    assert mappings.by_line == {}
