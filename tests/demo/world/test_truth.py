"""Tests the file of true costs: what it tells of each part, and that its prices are those of the price list."""

import json
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.truth import truth_lines, write_truth
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import BucketWidth

DAY = 86400
NAMES = ["day", "usage_day", "service", "project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]
NAMES += [
    "api_source",
    "token_kind",
    "line_item",
    "quantity_unit",
    "currency",
    "fact",
    "used",
    "quantity",
    "amount",
]


def _text(organization: SyntheticOrganization, start: int, end: int) -> str:
    return "".join(line for lines in truth_lines(organization, start, end) for line in lines)


@pytest.fixture(scope="module")
def parts(organization: SyntheticOrganization, now: int) -> list[dict[str, Any]]:
    """The parts of 170 days."""
    end = now // DAY * DAY
    return [json.loads(line) for line in _text(organization, end - 170 * DAY, end).splitlines()]


def test_each_line_is_one_part(parts: list[dict[str, Any]]) -> None:
    extra = {item.name for data in DATASETS.values() for item in data.dimensions}
    for part in parts:
        assert set(NAMES) <= set(part) <= set(NAMES) | extra
        Decimal(part["amount"]), Decimal(part["quantity"])
    keys = [json.dumps({**part, "used": 0, "quantity": 0, "amount": 0}) for part in parts]
    assert len(set(keys)) == len(keys) > 50_000
    assert [part["day"] for part in parts] == sorted(part["day"] for part in parts)


def test_parts_have_the_usage_of_the_endpoints(
    organization: SyntheticOrganization, parts: list[dict[str, Any]], now: int
) -> None:
    """For each row of usage, the parts of its day and dimensions count its tokens once."""
    end = now // DAY * DAY
    names = [dimension.name for dimension in DATASETS["completions"].dimensions]
    used: dict[tuple[object, ...], int] = defaultdict(int)
    for part in parts:
        if part["service"] == "completions":
            used[part["usage_day"], *(part[name] for name in names)] += part["used"]
    rows = organization.rows("completions", end - 160 * DAY, end - DAY, BucketWidth.DAY, now)
    days = {str(day): number for number, day in enumerate(sorted({part["day"] for part in parts}))}
    compared = 0
    for row in rows:
        day = list(days)[(row["bucket"] - end) // DAY + 170]
        assert used[day, *(row[name] for name in names)] == row["input_tokens"] + row["output_tokens"]
        compared += 1
    assert compared > 5000


CHANGED = ("gpt-5.1", "gpt-6-astra", "o5", "gpt-realtime-3", "web search tool calls", "text-embedding-3-small")


def test_prices_are_constant_between_their_changes(parts: list[dict[str, Any]]) -> None:
    """One price for each line item, batch and tier; as many more as there were changes."""
    prices: dict[tuple[object, ...], dict[Fraction, list[str]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        if part["used"] and part["fact"] != "free" and part["line_item"] != "Vector storage":
            price = Fraction(part["amount"]) / Fraction(part["quantity"])
            prices[part["line_item"], part["batch"], part["service_tier"]][price].append(part["usage_day"])
    for (line, _, _), periods in prices.items():
        name = str(line).partition(",")[0]
        changes = 0 if name not in CHANGED else 2 if name == "o5" else 1
        assert len(periods) <= 1 + changes, (line, periods)
        spans = sorted((min(days), max(days)) for days in periods.values())
        assert all(before[1] < after[0] for before, after in pairwise(spans)), line
    assert len([one for one in prices.values() if len(one) == 2]) > 10
    assert len([one for one in prices.values() if len(one) == 3]) > 3


def test_batch_and_flex_cost_half(parts: list[dict[str, Any]]) -> None:
    standard: dict[tuple[str, str], Fraction] = {}
    half: dict[tuple[str, str], set[Fraction]] = defaultdict(set)
    for part in parts:
        if part["model"] and part["service"] == "completions" and part["fact"] != "free":
            price, key = Fraction(part["amount"]) / part["used"], (part["usage_day"], part["line_item"])
            if part["batch"] or (part["service_tier"] == "flex" and "|" not in part["line_item"]):
                half[key].add(price)
            else:
                standard[key] = price
    both = standard.keys() & half.keys()
    assert len(both) > 1000
    assert all(half[key] == {standard[key] / 2} for key in both)


def test_facts_are_marked(parts: list[dict[str, Any]]) -> None:
    facts: dict[str | None, set[str]] = defaultdict(set)
    for part in parts:
        facts[part["fact"]].add(part["day"][-2:])
        assert (part["fact"] == "late") == (part["day"] != part["usage_day"])
        if part["fact"] == "free":
            assert (part["quantity"], part["amount"]) == ("0", "0")
            assert part["used"] > 0
        assert (part["service"] is None) == (part["fact"] in ("no_usage", "credit"))
    assert set(facts) == {None, "late", "free", "no_usage", "credit"}
    assert facts["late"] == {"13"}
    assert facts["free"] == {"20"}


def test_two_runs_are_equal(now: int) -> None:
    end = now // DAY * DAY
    one, other, third = (
        _text(SyntheticOrganization(anchor=now, seed=seed), end - 20 * DAY, end) for seed in (1, 1, 2)
    )
    assert one == other
    assert one != third


def test_part_of_the_days_does_not_depend_on_the_others(organization: SyntheticOrganization, now: int) -> None:
    end = now // DAY * DAY
    whole = _text(organization, end - 20 * DAY, end).splitlines()
    some = _text(organization, end - 13 * DAY, end - 4 * DAY).splitlines()
    days = {json.loads(line)["day"] for line in some}
    assert len(days) == 9
    assert some == [line for line in whole if json.loads(line)["day"] in days]


def test_file_is_written_whole_or_not_at_all(tmp_path: Path, now: int) -> None:
    organization = SyntheticOrganization(anchor=now, days=9)
    path = tmp_path / "truth.jsonl"
    write_truth(organization, path, now)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["day"] == "2026-11-14"
    assert json.loads(lines[-1])["day"] == "2026-11-22"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="No such file"):
        write_truth(organization, tmp_path / "missing" / "truth.jsonl", now)
