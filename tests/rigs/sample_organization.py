"""Keeps one synthetic organization for each day of a test run, because it generates its usage only once."""

from functools import cache

from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.demo.world.rhythm import DAY


def sample_organization(now: float, *, seed: int = 1) -> SyntheticOrganization:
    """Return the organization as of the day of `now` (epoch seconds). Nobody may change it."""
    return _as_of_day(int(now) // DAY, seed)


@cache
def _as_of_day(day: int, seed: int) -> SyntheticOrganization:
    return SyntheticOrganization(anchor=day * DAY, seed=seed)
