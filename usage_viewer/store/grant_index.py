"""Keeps the refusals that were learnt about each dataset, in the table `refusal` and in memory."""

from collections.abc import Iterable

from usage_viewer.domain.grants import Grants, Refusal
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.digests import tracked


class GrantIndex:
    """Maps each dataset to its grants. Readers get records that never change; one thread at a time may write."""

    def __init__(self) -> None:
        self._grants: dict[str, Grants] = {}

    @classmethod
    def load(cls, cursor: Connection) -> "GrantIndex":
        """Read the table `refusal`."""
        index = cls()
        rows = cursor.execute(
            "SELECT dataset, dimensions, blamed, since, until, learnt_at, granted_from FROM refusal ORDER BY rowid"
        ).fetchall()
        for dataset, dimensions, *rest in rows:
            index.add(dataset, [Refusal(frozenset(dimensions.split(",")), *rest)])
        return index

    def of(self, dataset: str) -> Grants:
        """Return the grants of a dataset, with refusals of any age."""
        return self._grants.get(dataset, Grants())

    def add(self, dataset: str, refusals: Iterable[Refusal]) -> None:
        """Add refusals that were written."""
        self._grants = {**self._grants, dataset: self.of(dataset).with_refusals(refusals)}

    def forget(self, dataset: str) -> None:
        """Remove the refusals of a dataset that were deleted."""
        self._grants = {name: grants for name, grants in self._grants.items() if name != dataset}


def write_refusals(cursor: Connection, dataset: str, refusals: Iterable[Refusal]) -> None:
    """Insert refusals; those of the same combination and range are replaced."""
    with tracked(cursor, "refusal"):
        for item in refusals:
            names = ",".join(sorted(item.dimensions))
            cursor.execute(
                "DELETE FROM refusal WHERE dataset = ? AND dimensions = ? AND blamed = ?"
                " AND since IS NOT DISTINCT FROM ? AND until IS NOT DISTINCT FROM ?",
                [dataset, names, item.blamed, item.since, item.until],
            )
            cursor.execute(
                "INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?)",
                [dataset, names, item.blamed, item.since, item.until, item.learnt_at, item.granted_from],
            )


def delete_refusals(cursor: Connection, dataset: str) -> None:
    """Delete the refusals of a dataset."""
    with tracked(cursor, "refusal"):
        cursor.execute("DELETE FROM refusal WHERE dataset = ?", [dataset])
