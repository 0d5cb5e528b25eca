"""Tests the facts that are planted in the bill: each is found on its day, and only there."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.planted_facts import day_of_month
from usage_viewer.domain.period import BucketWidth

DAY = 86400
END = datetime(2026, 11, 23, tzinfo=UTC)
DAYS = [END - timedelta(days=number) for number in range(120, 0, -1)]


def test_day_of_month() -> None:
    moments = [datetime(2024, 2, 29, 23, 59, tzinfo=UTC) + timedelta(days=number) for number in range(800)]
    at = np.array([moment.timestamp() for moment in moments], np.int64)
    assert day_of_month(at).tolist() == [moment.day for moment in moments]


def _rows(organization: SyntheticOrganization, name: str) -> list[dict[str, Any]]:
    start, end = int(DAYS[0].timestamp()), int(END.timestamp())
    return list(organization.rows(name, start, end, BucketWidth.DAY, end))


@pytest.fixture(scope="module")
def costs(organization: SyntheticOrganization) -> list[dict[str, Any]]:
    return _rows(organization, "costs")


def _differences(
    organization: SyntheticOrganization, costs: list[dict[str, Any]], lines: str, model: str
) -> dict[str, int]:
    """Return the days on which billed and used tokens of a model differ, with the unbilled tokens."""
    unbilled: dict[int, int] = defaultdict(int)
    for row in _rows(organization, "completions"):
        if row["model"] == model:
            unbilled[row["bucket"]] += row["input_tokens"] + row["output_tokens"]
    assert len(unbilled) > 100
    for row in costs:
        if row["line_item"].removeprefix("flex | ").split(",")[0] == lines:
            unbilled[row["bucket"]] -= int(row["quantity"])
    return {str(datetime.fromtimestamp(at, UTC).date()): count for at, count in unbilled.items() if count}


def test_batches_of_the_late_day_are_billed_on_the_next_day(
    organization: SyntheticOrganization, costs: list[dict[str, Any]]
) -> None:
    found = _differences(organization, costs, "gpt-6-astra-mini", "gpt-6-astra-mini")
    assert sorted(found) == [f"2026-{month}-{day}" for month in ("08", "09", "10", "11") for day in (12, 13)]
    batches: dict[str, int] = defaultdict(int)
    for row in _rows(organization, "completions"):
        if row["model"] == "gpt-6-astra-mini" and row["batch"]:
            day = str(datetime.fromtimestamp(row["bucket"], UTC).date())
            batches[day] += row["input_tokens"] + row["output_tokens"]
    for month in ("08", "09", "10", "11"):
        late = batches[f"2026-{month}-12"]
        assert late > 0
        assert found[f"2026-{month}-12"] == late
        assert found[f"2026-{month}-13"] == -late


def test_free_tokens_are_in_usage_and_not_in_costs(
    organization: SyntheticOrganization, costs: list[dict[str, Any]]
) -> None:
    found = _differences(organization, costs, "gpt-5.4-mini", "gpt-5.4-mini")
    free = {day: count for day, count in found.items() if day[-2:] not in ("12", "13")}
    assert sorted(free) == [f"2026-{month}-20" for month in ("08", "09", "10", "11")]
    for day, count in free.items():
        start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        rows = organization.rows("completions", start, start + DAY // 2, BucketWidth.HOUR, int(END.timestamp()))
        mini = [row for row in rows if row["model"] == "gpt-5.4-mini"]
        assert count == sum(row["input_tokens"] + row["output_tokens"] for row in mini) > 0


def test_bill_has_a_model_and_evals_that_no_usage_has(
    organization: SyntheticOrganization, costs: list[dict[str, Any]]
) -> None:
    for model, weekdays in (("gpt-4o-mini-2024-07-18", {0, 1, 2, 3, 4}), ("gpt-4.5-preview-2025-02-27", {0})):
        rows = [row for row in costs if model in row["line_item"]]
        days = {datetime.fromtimestamp(row["bucket"], UTC) for row in rows}
        assert days == {day for day in DAYS if day.weekday() in weekdays}
        assert all(row["quantity"] > 0 and row["amount"] > 0 for row in rows)
        for service in ("completions", "decisions"):
            assert model not in {values[3] for values in organization.combinations(service)}


def test_amount_of_free_moderations_is_zero(costs: list[dict[str, Any]]) -> None:
    rows = [row for row in costs if row["line_item"] == "omni-moderation-latest, input"]
    assert len({row["bucket"] for row in rows}) == len(DAYS)
    assert {row["amount"] for row in rows} == {0}
    assert all(row["quantity"] > 0 for row in rows)


def test_bill_does_not_depend_on_the_window_it_is_asked_for(
    organization: SyntheticOrganization, costs: list[dict[str, Any]]
) -> None:
    """Late batches come from the day before, also in a window of one day or a part of it."""
    for day in ("2026-11-12", "2026-11-13", "2026-11-20"):
        start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        whole = [row for row in costs if row["bucket"] == start]
        assert list(organization.rows("costs", start, start + DAY, BucketWidth.DAY, int(END.timestamp()))) == whole
        morning, evening = (
            sum(row["amount"] for row in organization.rows("costs", *window, BucketWidth.DAY, int(END.timestamp())))
            for window in ((start, start + 40_000 // 60 * 60), (start + 40_000 // 60 * 60, start + DAY))
        )
        assert morning + evening == sum(row["amount"] for row in whole)


def test_usage_before_the_first_day_is_not_billed() -> None:
    first = datetime(2026, 11, 13, tzinfo=UTC)
    organization = SyntheticOrganization(anchor=int(END.timestamp()), days=10)
    assert organization.first == int(first.timestamp())
    start, end = organization.first, int(END.timestamp())
    tokens = {
        name: sum(row["quantity"] for row in organization.rows("costs", *window, BucketWidth.DAY, end)
                  if row["line_item"].startswith("gpt-6-astra-mini, "))
        for name, window in {"first": (start, start + DAY), "before": (start - DAY, start)}.items()
    }  # fmt: skip
    used = sum(
        row["input_tokens"] + row["output_tokens"]
        for row in organization.rows("completions", start, start + DAY, BucketWidth.DAY, end)
        if row["model"] == "gpt-6-astra-mini"
    )
    assert tokens == {"first": used, "before": 0}
    assert used > 0
