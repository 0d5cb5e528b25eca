"""Each difference between bill and usage is found with its reason, and nothing else is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

import pytest

from tests.rigs.billed_organizations import FIRST_DAY, BilledOrganization, CostRow, UsageRow
from tests.rigs.reconciled_bills import Expected, bills, differences, today
from usage_viewer.domain.spend import Target
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.daily_usage import DailyUsage
from usage_viewer.query.spend.quantity_differences import DifferenceReason, QuantityDifference
from usage_viewer.query.spend.recognition import recognise
from usage_viewer.query.spend.reconcile import FetchState, reconcile

# --- one line item that is used every day

MODEL, OTHER = "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"
KEY = ("gpt-4o-2024-08-06, input", "tokens")
DAYS = 20
DAY = FIRST_DAY + 9


@dataclass
class Planted:
    """An organization with one model, whose rows a test changes."""

    organization: BilledOrganization

    def use(self, day: int, change: int, model: str = MODEL) -> None:
        """Add usage to a day; negative: remove it."""
        rows = self.organization.usage
        for place, row in enumerate(rows):
            if (row.day, row.model) == (day, model):
                tokens = row.metrics["input_tokens"] + change
                rows[place] = replace(row, metrics={"input_tokens": tokens})
                return
        rows.append(UsageRow("completions", day, {"model": model}, {"input_tokens": change}))

    def bill(
        self, day: int, quantity: str | None, amount: str, text: str = KEY[0], unit: str | None = "tokens"
    ) -> None:
        """Replace a day's row of costs."""
        costs = self.organization.costs
        costs[:] = [row for row in costs if (row.day, row.line_item) != (day, text)]
        number = None if quantity is None else Decimal(quantity)
        costs.append(CostRow(day, None, None, text, unit, Decimal(amount), number))

    def used(self, day: int) -> int:
        return sum(row.metrics["input_tokens"] for row in self.organization.usage if row.day == day)

    def differences(self, state: FetchState | None = None) -> list[tuple[int, LineKey, DifferenceReason]]:
        """Return the differences, with line items recognized by the program."""
        meanings = recognise(self.organization.lines(), self.organization.daily_usage())
        result = reconcile(
            bills(self.organization),
            meanings,
            self.organization.daily_usage(),
            state or FetchState(today(self.organization)),
        )
        return [(one.day, key, one.reason) for one in result for key in one.lines]


def plant() -> Planted:
    random = Random(7)
    planted = Planted(BilledOrganization(DAYS))
    for day in planted.organization.day_numbers:
        count = random.randrange(10**6, 10**7)
        planted.use(day, count)
        planted.bill(day, str(count), str(Decimal(count).scaleb(-6)))
    return planted


def test_clean_organization_has_no_differences() -> None:
    assert plant().differences() == []


def test_late_day() -> None:
    planted = plant()
    last = FIRST_DAY + DAYS - 1
    planted.use(last, 5000)
    state = FetchState(today=last + 1)
    assert planted.differences(state) == [(last, KEY, DifferenceReason.LATE_DAY)]
    assert planted.differences() == [(last, KEY, DifferenceReason.FREE_TOKENS)]  # the day is final


def test_day_that_was_fetched_too_early() -> None:
    planted = plant()
    planted.use(DAY, -5000)
    state = FetchState(today(planted.organization), unsettled={DAY})
    assert planted.differences(state) == [(DAY, KEY, DifferenceReason.LATE_DAY)]


def test_today_is_not_compared() -> None:
    planted = plant()
    planted.use(DAY, -5000)
    planted.bill(DAY, "3", "-1", "credit")
    assert planted.differences(FetchState(today=DAY)) == []


def test_lost_page_of_usage() -> None:
    planted = plant()
    planted.use(DAY, -planted.used(DAY) // 3)
    assert planted.differences() == [(DAY, KEY, DifferenceReason.USAGE_NOT_FETCHED)]


def test_day_of_usage_that_is_not_stored() -> None:
    planted = plant()
    state = FetchState(today(planted.organization), missing_usage={"completions": {DAY}})
    assert planted.differences(state) == [(DAY, KEY, DifferenceReason.USAGE_NOT_FETCHED)]
    usage = planted.organization.daily_usage()
    kept = usage.days != DAY
    series = [replace(one, metrics={name: n[kept] for name, n in one.metrics.items()}) for one in usage.series]
    result = reconcile(
        bills(planted.organization),
        recognise(planted.organization.lines(), usage),
        DailyUsage(usage.days[kept], series),
        FetchState(today(planted.organization)),
    )
    assert [(one.day, one.reason, one.billed, one.used, one.excess) for one in result] == [
        (DAY, DifferenceReason.USAGE_NOT_FETCHED, planted.used(DAY), None, None)
    ]


def test_free_tokens() -> None:
    planted = plant()
    for day in range(DAY, DAY + 4):
        planted.use(day, 250_000)
    expected = [(day, KEY, DifferenceReason.FREE_TOKENS) for day in range(DAY, DAY + 4)]
    assert planted.differences() == expected


def test_day_on_which_all_tokens_were_free() -> None:
    planted = plant()
    planted.organization.costs = [row for row in planted.organization.costs if row.day != DAY]
    state = FetchState(today(planted.organization), billed_days=planted.organization.day_numbers)
    assert planted.differences(state) == [(DAY, KEY, DifferenceReason.FREE_TOKENS)]
    assert planted.differences() == []  # the costs of the day are not stored


@pytest.mark.parametrize("is_billed", [False, True])
def test_renamed_model(is_billed: bool) -> None:
    planted = plant()
    other = (f"{OTHER}, input", "tokens")
    if is_billed:
        for day in planted.organization.day_numbers:
            planted.use(day, 20_000 + day, OTHER)
            planted.bill(day, str(20_000 + day), "1", other[0])
    moved = range(FIRST_DAY + DAYS - 5, FIRST_DAY + DAYS)
    for day in moved:
        count = planted.used(day) - (20_000 + day if is_billed else 0)
        planted.use(day, -count)
        planted.use(day, count, OTHER)
    keys = [KEY, other] if is_billed else [KEY]
    assert planted.differences() == [(day, key, DifferenceReason.RENAMED_MODEL) for day in moved for key in keys]


def test_renamed_model_names_the_other_one() -> None:
    planted = plant()
    count = planted.used(DAY)
    planted.use(DAY, -count)
    planted.use(DAY, count, "gpt-4o-new")
    (difference,) = reconcile(
        bills(planted.organization),
        recognise(planted.organization.lines(), planted.organization.daily_usage()),
        planted.organization.daily_usage(),
        FetchState(today(planted.organization)),
    )
    assert difference == QuantityDifference(
        DAY,
        (KEY,),
        DifferenceReason.RENAMED_MODEL,
        Decimal(count).scaleb(-6),
        billed=count,
        used=0,
        other_model="gpt-4o-new",
    )


def test_two_models_with_the_missing_usage_are_none() -> None:
    planted = plant()
    count = planted.used(DAY)
    planted.use(DAY, -count)
    planted.use(DAY, count, "gpt-4o-new")
    planted.use(DAY, count, "gpt-4o-newer")
    assert planted.differences() == [(DAY, KEY, DifferenceReason.USAGE_NOT_FETCHED)]


@pytest.mark.parametrize("batches", [[7000], [7], [7000, 9000, 400], [7000, 7000, 7000], [9000, 7000, 7000, 1]])
def test_batch_billed_on_completion(batches: Sequence[int]) -> None:
    planted = plant()
    bill = {day: planted.used(day) for day in planted.organization.day_numbers}
    for day, count in enumerate(batches, DAY):
        bill[day] -= count
        bill[day + 1] += count
    for day, count in bill.items():
        planted.bill(day, str(count), "1")
    changed = [day for day, count in bill.items() if count != planted.used(day)]
    assert planted.differences() == [(day, KEY, DifferenceReason.BATCH_ON_COMPLETION) for day in changed]


UNRELATED = [
    (DAY, KEY, DifferenceReason.FREE_TOKENS),
    (DAY + 2, KEY, DifferenceReason.USAGE_NOT_FETCHED),
]


def test_small_equal_differences_of_distant_days_are_no_batch() -> None:
    planted = plant()
    planted.use(DAY, 5)
    planted.use(DAY + 2, -5)
    assert planted.differences() == UNRELATED


def test_batch_cannot_wait_for_two_days() -> None:
    planted = plant()
    planted.use(DAY, 7000)
    planted.use(DAY + 2, -7000)
    planted.use(DAY + 1, -planted.used(DAY + 1))
    planted.bill(DAY + 1, "0", "0")
    assert planted.differences() == UNRELATED


def test_batch_cannot_be_billed_across_a_day_that_is_not_stored() -> None:
    planted = plant()
    planted.use(DAY, 7000)
    planted.use(DAY + 2, -7000)
    usage = planted.organization.daily_usage()
    stored = usage.days != DAY + 1
    series = [replace(one, metrics={name: n[stored] for name, n in one.metrics.items()}) for one in usage.series]
    planted.organization.costs = [row for row in planted.organization.costs if row.day != DAY + 1]
    result = reconcile(
        bills(planted.organization),
        recognise(planted.organization.lines(), usage),
        DailyUsage(usage.days[stored], series),
        FetchState(today(planted.organization)),
    )
    assert [(one.day, *one.lines, one.reason) for one in result] == UNRELATED


def test_usage_billed_before_it_is_used_is_no_batch() -> None:
    planted = plant()
    planted.use(DAY, -7000)
    planted.use(DAY + 1, 7000)
    assert planted.differences() == [
        (DAY, KEY, DifferenceReason.USAGE_NOT_FETCHED),
        (DAY + 1, KEY, DifferenceReason.FREE_TOKENS),
    ]


@pytest.mark.parametrize(
    ("text", "unit", "quantity", "amount", "reason"),
    [
        ("evals | gpt-4o-2024-08-06, input", "tokens", "50000", "0.5", DifferenceReason.EVALS),
        ("promotional credit", None, None, "-12.5", DifferenceReason.CREDIT),
        ("gpt-4o-2024-08-06, input", None, None, "-12.5", DifferenceReason.CREDIT),
        ("Vector storage", "gibibyte_hours", "130.5", "1.25", DifferenceReason.NO_COUNTERPART),
        ("assistants api | file search", None, "17", "1.25", DifferenceReason.NO_COUNTERPART),
        ("something new", "tokens", "12345", "1.25", DifferenceReason.UNRECOGNISED),
        ("something new", None, None, "1.25", DifferenceReason.UNRECOGNISED),
        ("gpt-4o-2024-08-06, input", None, None, "1.25", DifferenceReason.NO_QUANTITY),
    ],
)
def test_line_items_that_cannot_be_compared(
    text: str, unit: str | None, quantity: str | None, amount: str, reason: DifferenceReason
) -> None:
    planted = plant()
    number = None if quantity is None else Decimal(quantity)
    planted.organization.costs.append(CostRow(DAY, None, None, text, unit, Decimal(amount), number))
    assert planted.differences() == [(DAY, (text, unit), reason)]


def test_null_quantity_of_one_day() -> None:
    planted = plant()
    planted.bill(DAY, None, "3")
    assert planted.differences() == [(DAY, KEY, DifferenceReason.NO_QUANTITY)]


def test_empty_row_of_costs_is_no_difference() -> None:
    planted = plant()
    planted.bill(DAY, "0", "0", "something new")
    assert planted.differences() == []


@pytest.mark.parametrize(("places", "expected"), [(3, []), (2, []), (1, [])])
def test_rounded_thousands_are_no_difference(places: int, expected: Expected) -> None:
    planted = plant()
    planted.organization.truth[KEY[0], "1000_tokens"] = Target(
        "completions", MODEL, "input", "input", per_unit=1000
    )
    planted.organization.costs = []
    for day in planted.organization.day_numbers:
        quantity = round(Decimal(planted.used(day)) / 1000, places)
        planted.bill(day, str(quantity), "1", unit="1000_tokens")
    assert differences(planted.organization) == []
    planted.use(DAY, 2000)
    assert [one.day for one in differences(planted.organization)] == [DAY]


def test_every_reason_has_words() -> None:
    for reason in DifferenceReason:
        assert reason.words[0].isupper()
        assert not reason.words.endswith(".")
        assert reason.explanation.endswith(".")
    assert len({reason.words for reason in DifferenceReason}) == len(DifferenceReason)


def test_seven_situations_at_once() -> None:
    planted = plant()
    planted.use(DAY - 7, 250_000)
    planted.use(DAY - 5, -30_000)
    for day, change in ((DAY - 3, -40_000), (DAY - 2, 40_000)):
        planted.bill(day, str(planted.used(day) + change), "1")
    planted.use(DAY, -50_000)
    planted.use(DAY, 50_000, OTHER)
    planted.bill(DAY + 1, "123456", "1", "evals | gpt-4o-mini, input")
    planted.bill(DAY + 2, None, "-5", "promotional credit", None)
    last = FIRST_DAY + DAYS - 1
    planted.use(last, -1)
    assert planted.differences(FetchState(today=last + 1)) == [
        (DAY - 7, KEY, DifferenceReason.FREE_TOKENS),
        (DAY - 5, KEY, DifferenceReason.USAGE_NOT_FETCHED),
        (DAY - 3, KEY, DifferenceReason.BATCH_ON_COMPLETION),
        (DAY - 2, KEY, DifferenceReason.BATCH_ON_COMPLETION),
        (DAY, KEY, DifferenceReason.RENAMED_MODEL),
        (DAY + 1, ("evals | gpt-4o-mini, input", "tokens"), DifferenceReason.EVALS),
        (DAY + 2, ("promotional credit", None), DifferenceReason.CREDIT),
        (last, KEY, DifferenceReason.LATE_DAY),
    ]
