"""Compares the costs that the API returns with the true costs of each part, to the last digit."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.api.refusal import RefusedGroupings
from usage_viewer.demo.api.service import Service
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.truth import truth_lines
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.spend import LineMeaning, Match, Reason, Target
from usage_viewer.query.spend.daily_usage import UsageIndex
from usage_viewer.query.spend.line_item import Modality, Product, TokenKind, parse_line_item
from usage_viewer.query.spend.recognition import BilledLine, DailyUsage, UsedSeries, recognise

DAY = 86400
DAYS = 50
DIMENSIONS = ("project_id", "user_id", "line_item", "api_key_id", "api_source")
GROUPINGS = [some for size in range(6) for some in combinations(DIMENSIONS, size)]
Part = dict[str, Any]
Sums = dict[tuple[object, ...], tuple[Decimal, Decimal | None]]


def _truth(organization: SyntheticOrganization, now: int, days: int = DAYS) -> list[Part]:
    end = now // DAY * DAY
    parts = [json.loads(line) for lines in truth_lines(organization, end - days * DAY, end) for line in lines]
    return [part | {"amount": Decimal(part["amount"]), "quantity": Decimal(part["quantity"])} for part in parts]


@pytest.fixture(scope="module")
def truth(organization: SyntheticOrganization, now: int) -> list[Part]:
    return _truth(organization, now)


def _pages(
    service: Service, path: str, now: int, length: int = DAYS, **parameters: Sequence[str]
) -> list[tuple[str, Part]]:
    """Return the day and the content of each row of all pages of the last `length` days."""
    end = now // DAY * DAY
    asked = {"start_time": [str(end - length * DAY)], "end_time": [str(end)], **parameters}
    rows: list[tuple[str, Part]] = []
    days = 0
    while True:
        status, body = service.respond(path, asked, {"authorization": f"Bearer {ADMIN_KEY}"}, now)
        assert status == 200, body
        page = json.loads(body, parse_float=Decimal, parse_int=Decimal)
        days += len(page["data"])
        for bucket in page["data"]:
            day = str(datetime.fromtimestamp(int(bucket["start_time"]), UTC).date())
            rows += [(day, result) for result in bucket["results"]]
        if not page["has_more"]:
            assert days == length
            return rows
        asked = {**asked, "page": [page["next_page"]]}


def _billed(rows: Iterable[tuple[str, Part]], group_by: Sequence[str]) -> Sums:
    sums: Sums = {}
    for day, row in rows:
        key = (day, row["amount"]["currency"], row["quantity_unit"], *(row[name] for name in group_by))
        assert key not in sums
        sums[key] = Decimal(row["amount"]["value"]), row["quantity"]
    return sums


def _true(parts: Iterable[Part], group_by: Sequence[str]) -> Sums:
    amounts: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    quantities: dict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    has_line = "line_item" in group_by
    without = set()
    for part in parts:
        if part["fact"] != "free":
            unit = part["quantity_unit"] if has_line else None
            key = (part["day"], part["currency"], unit, *(part[name] for name in group_by))
            amounts[key] += part["amount"]
            quantities[key] += part["quantity"]
            if part["fact"] == "credit":
                without.add(key)
    return {
        key: (amount, quantities[key] if has_line and key not in without else None)
        for key, amount in amounts.items()
    }


@pytest.mark.parametrize("group_by", GROUPINGS, ids="+".join)
def test_sum_of_truth_is_the_bill(
    organization: SyntheticOrganization, truth: list[Part], now: int, group_by: tuple[str, ...]
) -> None:
    billed = _billed(_pages(Service(organization), "/organization/costs", now, group_by=group_by), group_by)
    assert billed == _true(truth, group_by)
    assert len({key[0] for key in billed}) == DAYS


@pytest.mark.parametrize(("seed", "currencies"), [(2, ("usd",)), (3, ("usd", "eur")), (4, ("eur", "usd", "gbp"))])
def test_sum_of_truth_is_the_bill_of_other_organizations(now: int, seed: int, currencies: tuple[str, ...]) -> None:
    organization = SyntheticOrganization(anchor=now, seed=seed, currencies=currencies)
    parts = _truth(organization, now)
    assert {part["currency"] for part in parts} == set(currencies)
    for group_by in ((), ("line_item",), ("project_id", "line_item"), ("user_id",), DIMENSIONS):
        billed = _billed(_pages(Service(organization), "/organization/costs", now, group_by=group_by), group_by)
        assert billed == _true(parts, group_by)


@pytest.mark.parametrize("limit", ["1", "7", "31", "180"])
def test_pages_of_any_size_have_the_same_costs(
    organization: SyntheticOrganization, truth: list[Part], now: int, limit: str
) -> None:
    group_by = ("line_item", "user_id")
    rows = _pages(Service(organization), "/organization/costs", now, group_by=group_by, limit=[limit])
    assert _billed(rows, group_by) == _true(truth, group_by)


def test_filters_have_the_costs_of_their_parts(
    organization: SyntheticOrganization, truth: list[Part], now: int
) -> None:
    project = next(part["project_id"] for part in truth if part["fact"] == "late")
    group_by = ("line_item",)
    rows = _pages(
        Service(organization), "/organization/costs", now, group_by=group_by, project_ids=[project]
    )  # fmt: skip
    assert _billed(rows, group_by) == _true((part for part in truth if part["project_id"] == project), group_by)


def test_users_alone_have_the_costs_of_projects_and_keys(organization: SyntheticOrganization, now: int) -> None:
    """Where the server grants users alone and refuses them beside anything else, both views agree by day."""
    service = Service(organization, refused=RefusedGroupings.of(rules=["costs:user_id+*", "costs:api_source"]))

    def by_day(*group_by: str) -> dict[str, Decimal]:
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for day, row in _pages(service, "/organization/costs", now, group_by=group_by):
            sums[day] += Decimal(row["amount"]["value"])
        return sums

    assert by_day("user_id") == by_day("project_id", "api_key_id", "line_item") == by_day()
    parameters = {"start_time": [str(now - DAY)], "group_by": ["user_id", "line_item"]}
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    assert service.respond("/organization/costs", parameters, headers, now)[0] == 400


def test_amounts_are_written_as_the_api_does(organization: SyntheticOrganization, now: int) -> None:
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    end = now // DAY * DAY
    parameters = {"start_time": [str(end - 30 * DAY)], "end_time": [str(end)], "limit": ["31"]}
    _, body = Service(organization).respond(
        "/organization/costs", {**parameters, "group_by": DIMENSIONS}, headers, now
    )
    texts = re.findall(rb'"value":("?)([^",]*)\1,', body)
    strings = [text.decode() for quote, text in texts if quote]
    numbers = [text.decode() for quote, text in texts if not quote]
    assert 0.45 < len(strings) / len(texts) < 0.55
    zeros = [text for text in strings if Decimal(text) == 0]
    assert set(zeros) == {"0E-6176"}
    for text in strings:
        if text not in zeros:
            assert len(text.lstrip("-0.").replace(".", "")) == 34, text
    assert all(re.fullmatch(r"-?\d+(\.\d*[1-9])?", text) for text in numbers)
    assert {len(text.partition(".")[2]) for text in strings} >= {33, 34, 35}


# --- line items

SHAPES = {
    "gpt-4o-2024-08-06, input": (None, TokenKind.INPUT, None, False),
    "gpt-4o-2024-08-06, cached input": (None, TokenKind.CACHED_INPUT, None, False),
    "gpt-4o-2024-08-06, output": (None, TokenKind.OUTPUT, None, False),
    "o5, cache writes": (None, TokenKind.CACHE_WRITES, None, False),
    "o5, cache writes - 12hr": (None, TokenKind.CACHE_WRITES_12H, None, False),
    "gpt-5.1-codex, output, long context": (None, TokenKind.OUTPUT, None, True),
    "priority | gpt-5.4, output, long context": ("priority", TokenKind.OUTPUT, None, True),
    "flex | gpt-5.4-mini": ("flex", None, None, False),
    "evals | gpt-4o-mini-2024-07-18, input": ("evals", TokenKind.INPUT, None, False),
    "gpt-audio-2-2025-12-15 audio, input": (None, TokenKind.INPUT, Modality.AUDIO, False),
    "gpt-6-canvas-2026-08-20 image, cached input": (None, TokenKind.CACHED_INPUT, Modality.IMAGE, False),
    "gpt-6-canvas-2026-08-20 text, output": (None, TokenKind.OUTPUT, Modality.TEXT, False),
    "gpt-realtime-3, audio input": (None, TokenKind.INPUT, Modality.AUDIO, False),
    "gpt-6-astra, input_tokens": (None, TokenKind.INPUT, None, False),
    "text-embedding-3-small, input": (None, TokenKind.INPUT, None, False),
    "ft-gpt-4.1-mini-2025-04-14, output": (None, TokenKind.OUTPUT, None, False),
    "gpt-4.5-preview-2025-02-27, input": (None, TokenKind.INPUT, None, False),
    "whisper": (None, None, None, False),
    "gpt-image-2-2026-04-21": (None, None, None, False),
}
PRODUCTS = {
    "assistants api | file search": Product.FILE_SEARCH,
    "web search tool calls": Product.WEB_SEARCH,
    "code interpreter sessions": Product.CODE_INTERPRETER,
    "Vector storage": Product.STORAGE,
}


def _all_lines(organization: SyntheticOrganization) -> set[str]:
    return {str(values[2]) for values in organization.bill.values}


def test_every_written_shape_of_a_line_item_is_in_the_bill_and_parsed(
    organization: SyntheticOrganization,
) -> None:
    lines = _all_lines(organization)
    assert set(SHAPES) | set(PRODUCTS) <= lines
    for text, expected in SHAPES.items():
        parsed = parse_line_item(text)
        assert (parsed.surface, parsed.kind, parsed.modality, parsed.long_context) == expected, text
        assert parsed.product is None
        assert parsed.model is not None
        assert parsed.model in text
    for text, product in PRODUCTS.items():
        assert parse_line_item(text).product is product


def _usage(service: Service, now: int, length: int) -> DailyUsage:
    """Return the usage as the endpoints report it."""
    end = now // DAY
    series: dict[tuple[str, str | None, str | None], dict[str, Any]] = {}
    for name, data in API_DATASETS.items():
        if not data.path.startswith("/organization/usage/"):
            continue
        group_by = [one for one in ("model", "service_tier") if one in data.group_by]
        for day, row in _pages(service, data.path, now, length, group_by=group_by, limit=["31"]):
            metrics = series.setdefault((name, row.get("model"), row.get("service_tier")), {})
            for metric in data.metrics:
                if row.get(metric.name) is not None:
                    counts = metrics.setdefault(metric.name, np.zeros(length, np.int64))
                    counts[_day_number(day) - (end - length)] += int(row[metric.name])
    days = np.arange(end - length, end, dtype=np.int64)
    return DailyUsage(days, [UsedSeries(*key, values) for key, values in series.items()])


def _day_number(day: str) -> int:
    return int(np.datetime64(day).astype(int))


def _lines(service: Service, now: int, length: int) -> list[BilledLine]:
    quantities: dict[tuple[str, str | None], dict[int, Decimal]] = defaultdict(dict)
    for day, row in _pages(service, "/organization/costs", now, length, group_by=["line_item"], limit=["180"]):
        days = quantities[row["line_item"], row["quantity_unit"]]
        if row["quantity"] is not None:
            days[_day_number(day)] = row["quantity"]
    return [BilledLine(*key, days) for key, days in quantities.items()]


WITHOUT_USAGE = {
    "Vector storage": Reason.NO_COUNTERPART,
    "complimentary daily tokens": Reason.UNRECOGNISED,
    "evals | gpt-4o-mini-2024-07-18, input": Reason.NO_COUNTERPART,
    "evals | gpt-4o-mini-2024-07-18, output": Reason.NO_COUNTERPART,
    "gpt-4.5-preview-2025-02-27, input": Reason.USAGE_MISSING,
    "gpt-4.5-preview-2025-02-27, output": Reason.USAGE_MISSING,
}
BY_QUANTITY = ("whisper", "gpt-6-astra-mini decide, ")
"""The begin of line items whose names don't tell their usage."""


def _check_recognised(
    organization: SyntheticOrganization, truth: list[Part], now: int, length: int = DAYS
) -> dict[tuple[str, str | None], LineMeaning]:
    """Check that each line item is mapped to the usage that it bills; return the meanings."""
    service = Service(organization)
    meanings = recognise(_lines(service, now, length), _usage(service, now, length))
    billed: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for part in truth:
        if part["fact"] != "free":
            billed[part["line_item"]].add((part["service"], part["model"]))
    assert {key[0] for key in meanings} == set(billed)
    for (text, _), meaning in meanings.items():
        target = meaning.target
        if text in WITHOUT_USAGE:
            assert (target, meaning.reason) == (None, WITHOUT_USAGE[text])
            continue
        assert target is not None, meaning
        assert meaning.match is (Match.BY_QUANTITY if text.startswith(BY_QUANTITY) else Match.CONFIRMED), meaning
        assert {target.service} == {name for name, _ in billed[text]}
        assert target.model is None or {target.model} == {model for _, model in billed[text]}
    return meanings


def test_every_line_item_is_recognised(organization: SyntheticOrganization, truth: list[Part], now: int) -> None:
    lines = {key[0] for key in _check_recognised(organization, truth, now)}
    assert len(lines) > 80
    assert set(WITHOUT_USAGE) <= lines


@pytest.mark.parametrize("length", [90, 390])
def test_line_items_of_longer_times_are_recognised(
    organization: SyntheticOrganization, now: int, length: int
) -> None:
    meanings = _check_recognised(organization, _truth(organization, now, length), now, length)
    assert ("ft-gpt-4.1-mini-2025-04-14, output", "tokens") in meanings


def test_quantities_are_the_usage_of_the_endpoints(
    organization: SyntheticOrganization, truth: list[Part], now: int
) -> None:
    """On every day without a planted fact, the line items of a target bill exactly its usage."""
    service = Service(organization)
    usage, meanings = _usage(service, now, DAYS), _check_recognised(organization, truth, now)
    index = UsageIndex(usage)
    billed: dict[Target, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in _lines(service, now, DAYS):
        target = meanings[line.key].target
        if target is not None:
            for day, quantity in line.quantities.items():
                billed[replace(target, token_kind="", per_unit=1)][day] += quantity * target.per_unit
    planted: set[tuple[str, str | None, int]] = set()
    for part in truth:
        if part["fact"] in ("late", "free"):
            for day in (part["day"], part["usage_day"]):
                planted.add((part["service"], part["model"], _day_number(day)))
    equal = 0
    for target, quantities in billed.items():
        for day, used in zip(usage.days.tolist(), index.used(target).tolist(), strict=True):
            if (target.service, target.model, day) not in planted:
                assert quantities.get(day, 0) == used, (target, day)
                equal += used > 0
    assert len(billed) > 70
    assert equal > 2500
