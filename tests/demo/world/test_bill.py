"""Tests the costs of the synthetic organization: they follow from its usage, at known prices."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from usage_viewer.demo.world.bill import PLACES, Bill, decimal128_text, decimal_text
from usage_viewer.demo.world.catalog import COMPLETION_MODELS, LINE_ITEMS_SINCE
from usage_viewer.demo.world.combinations import Combinations, make_combinations
from usage_viewer.demo.world.directory import make_directory
from usage_viewer.demo.world.hours import HourlyUsage
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.price_list import UsageClass, charges
from usage_viewer.demo.world.rhythm import DAY, Events
from usage_viewer.demo.world.rows import UsageRows
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.period import BucketWidth

DIRECTORY = make_directory(1)
COMPLETIONS = make_combinations(DATASETS["completions"], DIRECTORY, 1, 120, 15.0)
NO_USAGE = ("evals | ", "gpt-4.5-preview")


@pytest.mark.parametrize(
    ("metric", "units", "text"),
    [
        ("amount", 0, "0"),
        ("amount", 1, "0.000000000001"),
        ("amount", -2_500_000_000_000, "-2.5"),
        ("amount", 3_000_000_000_000, "3"),
        ("amount", 1_234_500_000_000, "1.2345"),
        ("quantity", 1_200_000_000, "1200"),
        ("quantity", 1_000_001, "1.000001"),
        ("quantity", 0, "0"),
    ],
)
def test_decimal_text_is_exact_without_trailing_zeros(metric: str, units: int, text: str) -> None:
    assert decimal_text(metric, units) == text
    assert Decimal(text) == Decimal(units).scaleb(-PLACES[metric])


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (0, "0E-6176"),
        (2_500_000_000_000, "2.5" + 32 * "0"),  # 33 decimals
        (-600_000_000_000, "-0.6" + 33 * "0"),
        (12_345_678_901, "0.012345678901" + 23 * "0"),  # 35 decimals
        (1_200_000_000_000_000, "1200." + 30 * "0"),
    ],
)
def test_decimal128_has_34_digits(units: int, text: str) -> None:
    assert decimal128_text("amount", units) == text
    assert Decimal(text) == Decimal(units).scaleb(-12)


def _day(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _costs(organization: SyntheticOrganization, start: str, end: str) -> Iterator[dict[str, Any]]:
    return organization.rows("costs", _day(start), _day(end), BucketWidth.DAY, _day("2026-11-23"))


def _quantity(organization: SyntheticOrganization, start: str, end: str, *lines: str) -> Decimal:
    return sum(
        (row["quantity"] or Decimal() for row in _costs(organization, start, end) if row["line_item"] in lines),
        Decimal(),
    )


def _used(organization: SyntheticOrganization, start: str, end: str, service: str, *metrics: str) -> int:
    rows = organization.rows(service, _day(start), _day(end), BucketWidth.DAY, _day("2026-11-23"))
    return sum(row[metric] for row in rows for metric in metrics)


def test_each_token_is_billed_once(organization: SyntheticOrganization) -> None:
    days = ("2026-11-01", "2026-11-12")
    billed = sum(
        row["quantity"]
        for row in _costs(organization, *days)
        if row["quantity_unit"] == "tokens"
        and not row["line_item"].startswith((*NO_USAGE, "text-embedding", "omni-"))
    )
    used = [
        _used(organization, *days, service, "input_tokens", "output_tokens")
        for service in ("completions", "decisions")
    ]
    assert min(used) > 10**8
    assert billed == sum(used)


@pytest.mark.parametrize(
    ("service", "metric", "lines"),
    [
        ("images", "images", ["gpt-image-1", "gpt-image-2-2026-04-21"]),
        ("audio_speeches", "characters", ["gpt-5-mini-tts", "tts-1-hd"]),
        ("audio_transcriptions", "seconds", ["gpt-5-transcribe", "whisper"]),
        ("code_interpreter_sessions", "num_sessions", ["code interpreter sessions"]),
        ("file_search_calls", "num_requests", ["assistants api | file search"]),
        ("web_search_calls", "num_requests", ["web search tool calls"]),
    ],
)
def test_each_call_is_billed_once(
    organization: SyntheticOrganization, service: str, metric: str, lines: Sequence[str]
) -> None:
    days = ("2026-11-01", "2026-11-22")
    used = _used(organization, *days, service, metric)
    assert used > 1000
    assert _quantity(organization, *days, *lines) == used


def test_thousands_of_tokens_are_billed_exactly(organization: SyntheticOrganization) -> None:
    days = ("2026-11-01", "2026-11-22")
    thousands = _quantity(organization, *days, "text-embedding-4")
    single = _quantity(organization, *days, "text-embedding-3-small, input", "text-embedding-3-large, input")
    assert thousands % 1 != 0
    assert 1000 * thousands + single == _used(organization, *days, "embeddings", "input_tokens")


def test_storage_costs_what_is_stored_in_each_hour(organization: SyntheticOrganization) -> None:
    start, end, now = _day("2026-11-01"), _day("2026-11-02"), _day("2026-11-23")
    levels = organization.rows("vector_stores", start, end, BucketWidth.HOUR, now)
    hours = defaultdict[str, list[int]](list)
    for row in levels:
        hours[row["project_id"]].append(row["usage_bytes"])
    rows = [row for row in _costs(organization, "2026-11-01", "2026-11-02") if row["line_item"] == "Vector storage"]
    assert {row["project_id"] for row in rows} == set(hours)
    for row in rows:
        stored = hours[row["project_id"]]
        assert len(stored) == 24
        assert row["quantity_unit"] == "gibibyte_hours"
        # Each hour is rounded down to a millionth.
        assert 0 <= Fraction(sum(stored), 2**30) - Fraction(row["quantity"]) < Fraction(24, 10**6)
        assert row["amount"] == row["quantity"] * Decimal("0.004")


def _prices(organization: SyntheticOrganization, line: str, start: str, end: str) -> set[Decimal]:
    """Return the prices of the line's rows, for a million units."""
    rows = [row for row in _costs(organization, start, end) if row["line_item"] == line]
    assert rows, line
    return {(row["amount"] / row["quantity"] * 10**6).quantize(Decimal("1e-9")).normalize() for row in rows}


def test_batch_costs_half_in_the_line_of_its_model(organization: SyntheticOrganization) -> None:
    rows = [row for row in _costs(organization, "2026-11-01", "2026-11-22") if row["line_item"] == "o5, output"]
    batches = [values[:3] for values in organization.combinations("completions") if values[3:5] == ("o5", "true")]
    own = [row for row in rows if (row["project_id"], row["user_id"], row["api_key_id"]) in batches]
    assert own
    standard = Decimal("36") * Decimal("0.8") * Decimal("0.75")
    assert {row["amount"] / row["quantity"] * 10**6 for row in own} == {standard / 2}
    others = [row for row in rows if row not in own]
    assert standard in {row["amount"] / row["quantity"] * 10**6 for row in others}


CHANGES = [
    ("gpt-4o-2024-08-06, output", "2026-03-02", "10", "5"),
    ("gpt-5.1, cached_input_tokens", "2026-08-03", "0.125", "0.1"),
    ("text-embedding-3-small, input", "2026-08-03", "0.02", "0.01"),
    ("gpt-6-astra, output_tokens", "2026-09-15", "20", "16"),
    ("o5, cached input", "2026-07-06", "0.9", "0.72"),
    ("o5, cached input", "2026-10-05", "0.72", "0.54"),
    ("gpt-realtime-3, audio input", "2026-11-09", "32", "40"),
    ("web search tool calls", "2026-11-02", "2500", "3000"),
]


@pytest.mark.parametrize(("line", "day", "before", "after"), CHANGES)
def test_price_changes_on_its_day(
    organization: SyntheticOrganization, line: str, day: str, before: str, after: str
) -> None:
    """The highest price of a line is that of ordinary usage; batch and flex cost half."""
    assert max(_prices(organization, line, str(np.datetime64(day) - 1), day)) == Decimal(before)
    assert max(_prices(organization, line, day, str(np.datetime64(day) + 1))) == Decimal(after)


def test_tier_with_its_own_line_has_its_own_price(organization: SyntheticOrganization) -> None:
    days = ("2026-11-01", "2026-11-12")
    assert max(_prices(organization, "gpt-5.4, output", *days)) == Decimal(14)
    assert max(_prices(organization, "priority | gpt-5.4, output", *days)) == Decimal(28)
    assert max(_prices(organization, "gpt-5.4, output, long context", *days)) == Decimal(28)
    assert max(_prices(organization, "priority | gpt-5.4, output, long context", *days)) == Decimal(56)
    assert _prices(organization, "flex | gpt-5.4-mini", *days) == {Decimal("0.125")}


def test_line_items_get_their_new_name_on_the_day(organization: SyntheticOrganization) -> None:
    assert datetime.fromtimestamp(LINE_ITEMS_SINCE, UTC).isoformat() == "2026-05-01T00:00:00+00:00"
    for start, end, names in (
        ("2026-04-20", "2026-05-01", {"gpt-5.1, input"}),
        ("2026-05-01", "2026-05-10", {"gpt-5.1, input_tokens"}),
    ):
        lines = {row["line_item"] for row in _costs(organization, start, end)}
        assert lines & {"gpt-5.1, input", "gpt-5.1, input_tokens"} == names


def test_each_day_has_one_credit_without_a_quantity(organization: SyntheticOrganization) -> None:
    rows = list(_costs(organization, "2026-11-01", "2026-11-03"))
    credits = [row for row in rows if row["amount"] < 0]
    assert [row["amount"] for row in credits] == [Decimal("-2.5")] * 2
    assert {row["quantity"] for row in credits} == {None}
    assert {row["project_id"] for row in credits} == {None}
    assert [row for row in rows if row["quantity"] is None] == credits


def test_projects_are_billed_in_their_currency(now: int) -> None:
    organization = SyntheticOrganization(anchor=now, currencies=("usd", "eur"))
    rows = list(_costs(organization, "2026-11-01", "2026-11-08"))
    by_project: dict[str | None, set[str]] = defaultdict(set)
    for row in rows:
        by_project[row["project_id"]].add(row["currency"])
    assert all(len(currencies) == 1 for currencies in by_project.values())
    assert {currency for one in by_project.values() for currency in one} == {"usd", "eur"}
    only = SyntheticOrganization(anchor=now)
    same = [{**row, "currency": "usd"} for row in rows]
    assert same == list(_costs(only, "2026-11-01", "2026-11-08"))


def test_billions_of_tokens_are_billed_exactly(now: int) -> None:
    usage = HourlyUsage(COMPLETIONS, 1, Events(now))
    day = now // DAY * DAY - 3 * DAY
    rows = usage.window(day, day + DAY)
    some = {name: np.full(len(rows), 5_000_000_000, np.int64) for name in rows.metrics}
    usage_of_billions = GivenUsage(COMPLETIONS, 1, Events(now), UsageRows(rows.at, rows.combination, some))
    bill = Bill({"completions": usage_of_billions}, DIRECTORY, seed=1, first=0)
    for part in bill.payers[0].parts(day, day + DAY):
        units = part.used // 5_000_000_000
        assert set(units.tolist()) <= {1, 2, 3, 11}
        if part.fact is None:  # the model with free tokens has none
            assert part.quantity.tolist() == [unit * 5_000_000_000 * 10**6 for unit in units.tolist()]
            prices = [amount // unit for amount, unit in zip(part.amount.tolist(), units.tolist(), strict=True)]
            assert min(prices) > 0
            assert max(prices) <= 5_000_000_000 * 160_000_000  # of an output token of audio
    costs = bill.window(day, day + DAY)
    assert int(costs.metrics["amount"].max()) > 5_000_000_000 * 10**7


class GivenUsage(HourlyUsage):
    """Returns given rows instead of generated ones."""

    def __init__(self, combinations: Combinations, seed: int, events: Events, rows: UsageRows) -> None:
        super().__init__(combinations, seed, events)
        self._rows = rows

    def window(self, start: int, end: int) -> UsageRows:
        return self._rows.between(start, end)


def test_price_that_amounts_cannot_hold_is_an_error() -> None:
    model = COMPLETION_MODELS[0]
    too_fine = type(model)("some-model", 0.000_000_1, 1.0)
    with pytest.raises(ValueError, match="finer than"):
        charges("completions", too_fine, UsageClass(), 0)
