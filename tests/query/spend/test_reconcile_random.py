"""Situations that are planted in random organizations are found with their reasons, and nothing else is."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from tests.rigs.billed_organizations import FIRST_DAY, BilledOrganization, CostRow, decimal
from tests.rigs.random_organizations import Options, random_organization
from tests.rigs.reconciled_bills import Expected, differences, found
from usage_viewer.domain.spend import Target
from usage_viewer.query.spend.billed_lines import LineKey
from usage_viewer.query.spend.quantity_differences import DifferenceReason


def clean_organization(random: Random) -> BilledOrganization:
    """Return an organization whose line items all have usage."""
    organization = random_organization(random, Options(days=random.randrange(8, 30)))
    truth: dict[LineKey, Target | None] = {key: one for key, one in organization.truth.items() if one is not None}
    return replace(organization, truth=truth, costs=[row for row in organization.costs if row.key in truth])


# --- situations in random organizations

Case = tuple[BilledOrganization, Expected]


def used_groups(organization: BilledOrganization, day: int) -> list[tuple[Target, int, list[LineKey]]]:
    """Return what was used on a day: the target, how much, and the line items that bill it."""
    groups: dict[Target, list[LineKey]] = {}
    for key, target in organization.truth.items():
        if target is not None:
            groups.setdefault(replace(target, per_unit=1), []).append(key)
    rows = [row for row in organization.usage if row.day == day]
    counts = {target: sum(row.count(target) for row in rows) for target in groups}
    return [(target, count, groups[target]) for target, count in counts.items() if count]


def lose_usage(organization: BilledOrganization, random: Random) -> Case:
    """Remove a dataset's usage of a day."""
    lost = random.choice(organization.usage)
    kept = [row for row in organization.usage if (row.service, row.day) != (lost.service, lost.day)]
    expected = {
        (lost.day, key, DifferenceReason.USAGE_NOT_FETCHED)
        for target, _, keys in used_groups(organization, lost.day)
        if target.service == lost.service
        for key in keys
    }
    return replace(organization, usage=kept), expected


def change_quantities(
    organization: BilledOrganization, changes: dict[int, int], reason: DifferenceReason, random: Random
) -> Case:
    """Change the quantities of one line item that has rows on all the days, by thirds of the smallest."""
    places: dict[LineKey, dict[int, int]] = {}
    for place, row in enumerate(organization.costs):
        places.setdefault(row.key, {})[row.day] = place
    ready = [key for key, days in places.items() if set(changes) <= set(days)]
    if not ready:
        return organization, set()
    key = random.choice(ready)
    target = organization.truth[key]
    assert target is not None
    costs = list(organization.costs)
    rows = {day: costs[places[key][day]] for day in changes}
    third = min(round((row.quantity or 0) * target.per_unit) // 3 for row in rows.values())
    for day, sign in changes.items():
        quantity = Fraction(rows[day].quantity or 0) + Fraction(sign * third, target.per_unit)
        costs[places[key][day]] = replace(rows[day], quantity=decimal(quantity, 17))
    first = min(changes)
    keys = next((keys for _, _, keys in used_groups(organization, first) if key in keys), []) if third else []
    return replace(organization, costs=costs), {(day, one, reason) for day in changes for one in keys}


def give_free_tokens(organization: BilledOrganization, random: Random) -> Case:
    day = random.choice(organization.day_numbers)
    return change_quantities(organization, {day: -1}, DifferenceReason.FREE_TOKENS, random)


def bill_later(organization: BilledOrganization, random: Random) -> Case:
    day = random.choice(organization.day_numbers[:-1])
    return change_quantities(organization, {day: -1, day + 1: 1}, DifferenceReason.BATCH_ON_COMPLETION, random)


def rename_model(organization: BilledOrganization, random: Random) -> Case:
    """Report a model's usage under another name from a day on."""
    ready = [
        row for row in organization.usage if any(t and t.model == row.model for t in organization.truth.values())
    ]
    if not ready or (first := random.choice(ready)).model is None:
        return organization, set()
    usage = [
        replace(row, dimensions={**row.dimensions, "model": "renamed"})
        if (row.service, row.model) == (first.service, first.model) and row.day >= first.day
        else row
        for row in organization.usage
    ]
    moved = [
        (day, count, key)
        for day in range(first.day, FIRST_DAY + organization.days)
        for target, count, keys in used_groups(organization, day)
        if (target.service, target.model) == (first.service, first.model)
        for key in keys
    ]
    sizes = {(day, replace_key): count for day, count, replace_key in moved}
    reason = DifferenceReason.RENAMED_MODEL if sum(sizes.values()) >= 10_000 else DifferenceReason.USAGE_NOT_FETCHED
    if 0 < sum(sizes.values()) < 10_000:
        return organization, set()
    return replace(organization, usage=usage), {(day, key, reason) for day, _, key in moved}


def lose_a_quantity(organization: BilledOrganization, random: Random) -> Case:
    costs = list(organization.costs)
    if not costs:
        return organization, set()
    place = random.randrange(len(costs))
    row = costs[place]
    costs[place] = replace(row, quantity=None)
    return replace(organization, costs=costs), {(row.day, row.key, DifferenceReason.NO_QUANTITY)}


def bill_without_usage(organization: BilledOrganization, random: Random) -> Case:
    day = random.choice(organization.day_numbers)
    rows = [
        (("evals | gpt-4o, input", "tokens"), "5", "70000", DifferenceReason.EVALS),
        (("Vector storage", "gibibyte_hours"), "5", "1.5", DifferenceReason.NO_COUNTERPART),
        (("credit", None), "-5", None, DifferenceReason.CREDIT),
        (("something new", None), "5", "70000", DifferenceReason.UNRECOGNISED),
    ]
    costs = [
        CostRow(day, None, None, *key, Decimal(amount), None if quantity is None else Decimal(quantity))
        for key, amount, quantity, _ in rows
    ]
    truth = {**organization.truth, **{key: None for key, *_ in rows}}
    case = replace(organization, costs=[*organization.costs, *costs], truth=truth)
    return case, {(day, key, reason) for key, _, _, reason in rows}


def check_situations(seed: int) -> int:
    """Plant each situation in an organization of its own; return how many differences there were."""
    organization = clean_organization(Random(seed))
    assert differences(organization) == []
    if not organization.usage:
        return 0
    size = 0
    for change in (
        lose_usage, give_free_tokens, bill_later, rename_model, lose_a_quantity, bill_without_usage
    ):  # fmt: skip
        planted, expected = change(organization, Random(seed))
        assert found(planted) == expected, change.__name__
        shuffled = planted.shuffled(Random(seed))
        assert differences(shuffled) == differences(planted)
        size += len(expected)
    return size


def test_situations_in_40_random_organizations() -> None:
    assert sum(check_situations(seed) for seed in range(40)) > 400


@pytest.mark.fuzz
def test_situations_in_400_random_organizations() -> None:
    assert sum(check_situations(seed) for seed in range(40, 440)) > 4_000
