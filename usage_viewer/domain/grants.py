"""Defines grants: which dimensions an organization may group by together, and in which range.

They are learnt from refused requests. A request is refused if it has every dimension of a known refusal: more
dimensions don't make it acceptable.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

LEARNT_FOR = 7 * 86400
"""Seconds for which a refusal is remembered: grants change."""

Grain = tuple[str, ...]
"""The dimensions that rows were grouped by in their request, in the dataset's order."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """States that requests grouped by all of `dimensions` are refused for buckets from `since` until `until`.

    `blamed` is the one of `dimensions` that requests leave out. `since` and `until` (exclusive) are epoch seconds,
    None: unbounded. `learnt_at` is in epoch seconds. `granted_from` is a later bucket that is known to be granted,
    if nobody knows what is between it and `until`.
    """

    dimensions: frozenset[str]
    blamed: str
    since: int | None = None
    until: int | None = None
    learnt_at: int = 0
    granted_from: int | None = None

    def covers(self, start: int) -> bool:
        """Report whether a bucket that begins at `start` is in the refused range."""
        return (self.since is None or self.since <= start) and (self.until is None or start < self.until)

    @property
    def always(self) -> bool:
        """Whether the range is unbounded."""
        return self.since is None and self.until is None


@dataclass(frozen=True, slots=True)
class Grants:
    """Holds the refusals of one dataset."""

    refusals: tuple[Refusal, ...] = ()

    def valid_at(self, now: int) -> "Grants":
        """Return the grants without the refusals that were learnt too long before `now` (epoch seconds)."""
        valid = tuple(item for item in self.refusals if now < item.learnt_at + LEARNT_FOR)
        return self if len(valid) == len(self.refusals) else Grants(valid)

    def with_refusals(self, refusals: Iterable[Refusal]) -> "Grants":
        """Return the grants with more refusals; a newer one replaces one of the same combination and range."""
        new = {_identity(item): item for item in (*self.refusals, *refusals)}
        return Grants(tuple(new.values()))

    def refusal_of(self, dimensions: Collection[str], start: int) -> Refusal | None:
        """Return a refusal of a grouping by `dimensions` for the bucket at `start`; None if there is none."""
        wanted = frozenset(dimensions)
        return next((item for item in self.refusals if item.dimensions <= wanted and item.covers(start)), None)

    def finest(self, names: Sequence[str], start: int) -> Grain:
        """Return the largest grain out of `names` that no refusal excludes for the bucket at `start`."""
        grain = tuple(names)
        while (refusal := self.refusal_of(grain, start)) is not None:
            grain = tuple(name for name in grain if name != refusal.blamed)
        return grain

    def always_refused(self, dimensions: Collection[str]) -> Refusal | None:
        """Return a refusal without a range of a grouping by `dimensions`; None if there is none."""
        wanted = frozenset(dimensions)
        return next((item for item in self.refusals if item.always and item.dimensions <= wanted), None)

    def never_granted(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of `names` that are refused in any combination and range."""
        return tuple(name for name in names if self.always_refused((name,)) is not None)

    def edges(self) -> tuple[int, ...]:
        """Return the moments at which what is granted changes (epoch seconds), in order."""
        moments = {moment for item in self.refusals for moment in (item.since, item.until) if moment is not None}
        return tuple(sorted(moments))


def _identity(refusal: Refusal) -> tuple[frozenset[str], str, int | None, int | None]:
    return refusal.dimensions, refusal.blamed, refusal.since, refusal.until
