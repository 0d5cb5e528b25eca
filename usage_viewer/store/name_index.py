"""Keeps in memory every name that was ever seen, and writes the table `name`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from usage_viewer.domain.names import Name, Names
from usage_viewer.store.engine.database import Connection
from usage_viewer.store.engine.digests import tracked


class NameIndex:
    """Holds the stored names. `names` is replaced as a whole; one thread at a time may write."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self.names = Names.of(names)

    @classmethod
    def load(cls, cursor: Connection) -> "NameIndex":
        """Read the table `name`."""
        rows = cursor.execute("SELECT kind, id, name, seen, deleted, last_used FROM name").fetchall()
        return cls(Name(*row) for row in rows)

    def newer(self, names: Iterable[Name]) -> list[Name]:
        """Return the names that are new, or were seen later than the stored name of their id."""
        stored = self.names.by_id
        latest: dict[tuple[str, str], Name] = {}
        for name in names:
            key = (name.kind, name.id)
            before = latest.get(key) or stored.get(key)
            if before is None or (name.seen >= before.seen and name != before):
                latest[key] = name
        return list(latest.values())

    def deleted(self, kind: str, seen_before: int) -> list[Name]:
        """Return the names of `kind` last seen before that time (epoch seconds), marked as deleted."""
        return [
            replace(name, deleted=True)
            for name in self.names.by_id.values()
            if name.kind == kind and name.seen < seen_before and not name.deleted
        ]

    def add(self, names: Sequence[Name]) -> None:
        """Add names; each replaces the name of the same id."""
        self.names = Names({**self.names.by_id, **{(name.kind, name.id): name for name in names}})


def read_name_lists(cursor: Connection) -> dict[str, int]:
    """Return when each list of names was last read to its end (epoch seconds)."""
    return dict(cursor.execute("SELECT list, max(read_at) FROM name_list GROUP BY list").fetchall())


def write_name_lists(cursor: Connection, lists: Iterable[str], at: int) -> None:
    """Record lists of names that were read to their end at `at` (epoch seconds); at least one."""
    rows = [[name, at] for name in dict.fromkeys(lists)]
    with tracked(cursor, "name_list"):
        cursor.executemany("DELETE FROM name_list WHERE list = ?", [row[:1] for row in rows])
        cursor.executemany("INSERT INTO name_list VALUES (?, ?)", rows)


def write_names(cursor: Connection, names: Sequence[Name]) -> None:
    """Write names to the database; each replaces the name of the same id."""
    columns = {
        "kind": np.array([name.kind for name in names], np.object_),
        "id": np.array([name.id for name in names], np.object_),
        "name": np.array([name.name for name in names], np.object_),
        "seen": np.array([name.seen for name in names], np.int64),
        "deleted": np.array([name.deleted for name in names], np.bool_),
        "last_used": np.ma.array(
            [name.last_used or 0 for name in names],
            mask=[name.last_used is None for name in names],
            dtype=np.int64,
        ),
    }
    cursor.register("new_names", columns)
    with tracked(cursor, "name"):
        cursor.execute("DELETE FROM name USING new_names AS new WHERE name.kind = new.kind AND name.id = new.id")
        cursor.execute("INSERT INTO name SELECT kind, id, name, seen, deleted, last_used FROM new_names")
    cursor.unregister("new_names")
