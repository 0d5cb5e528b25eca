"""The line items of random organizations are recognized, with and without their names, and none wrongly."""

from decimal import Decimal
from random import Random

import pytest

from tests.rigs.billed_organizations import BilledOrganization, strong_keys
from tests.rigs.random_organizations import random_organization
from usage_viewer.domain.spend import Match
from usage_viewer.query.spend.recognition import recognise


def check_named(organization: BilledOrganization) -> None:
    """Every line item that has usage is mapped to it, by its name."""
    meanings = recognise(organization.lines(), organization.daily_usage())
    assert set(meanings) == set(organization.truth)
    for key, truth in organization.truth.items():
        target = meanings[key].target
        if truth is None:
            assert target is None, key
        else:
            assert target is not None, (key, meanings[key])
            assert organization.is_same_usage(target, truth), (key, target, truth)
            assert meanings[key].match is Match.CONFIRMED, (key, meanings[key])


def scrambled_money(organization: BilledOrganization) -> tuple[Decimal, Decimal]:
    """Return the money of line items with evidence, and how much of it is mapped. Fails for a wrong target."""
    meanings = recognise(organization.lines(), organization.daily_usage())
    for key, meaning in meanings.items():
        if meaning.target is not None:
            truth = organization.truth[key]
            assert truth is not None, (key, meaning)
            assert organization.is_same_usage(meaning.target, truth), (key, meaning.target, truth)
    money = {key: organization.money(key) for key in strong_keys(organization)}
    mapped = sum((amount for key, amount in money.items() if meanings[key].target is not None), Decimal())
    return sum(money.values(), Decimal()), mapped


def check_organizations(seeds: range) -> None:
    total = mapped = Decimal()
    for seed in seeds:
        organization = random_organization(Random(seed))
        check_named(organization)
        scrambled = organization.scrambled(Random(seed))
        parts = scrambled_money(scrambled)
        total, mapped = total + parts[0], mapped + parts[1]
        shuffled = scrambled.shuffled(Random(seed))
        expected = recognise(scrambled.lines(), scrambled.daily_usage())
        assert list(recognise(shuffled.lines(), shuffled.daily_usage()).items()) == list(expected.items())
    assert mapped >= Decimal("0.95") * total, mapped / total


def test_100_random_organizations() -> None:
    check_organizations(range(100))


@pytest.mark.fuzz
def test_1000_random_organizations() -> None:
    check_organizations(range(100, 1100))
