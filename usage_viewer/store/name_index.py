"""`NameIndex`: every name that was ever seen, kept in memory beside the table `name`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from usage_viewer.domain.names import Name, Names
from usage_viewer.store.engine.database import Connection


class NameIndex:
    """One thread at a time may write; `names` is replaced as a whole."""

    def __init__(self, known: Iterable[Name] = ()) -> None:
        self.names = Names.of(known)

    @classmethod
    def load(cls, cursor: Connection) -> "NameIndex":
        rows = cursor.execute("SELECT kind, id, name, seen, deleted FROM name").fetchall()
        return cls(Name(*row) for row in rows)

    def newer(self, names: Iterable[Name]) -> list[Name]:
        """Those that are new, or were seen later than what is known of them."""
        known = self.names.by_id
        latest: dict[tuple[str, str], Name] = {}
        for name in names:
            key = (name.kind, name.id)
            before = latest.get(key) or known.get(key)
            if before is None or (name.seen >= before.seen and name != before):
                latest[key] = name
        return list(latest.values())

    def gone(self, kind: str, seen_before: int) -> list[Name]:
        """Those of `kind` that no list has held since, marked as deleted."""
        return [
            replace(name, deleted=True)
            for name in self.names.by_id.values()
            if name.kind == kind and name.seen < seen_before and not name.deleted
        ]

    def keep(self, names: Sequence[Name]) -> None:
        self.names = Names({**self.names.by_id, **{(name.kind, name.id): name for name in names}})


def write_names(cursor: Connection, names: Sequence[Name]) -> None:
    """Each replaces what was known under its id."""
    columns = {
        "kind": np.array([name.kind for name in names], np.object_),
        "id": np.array([name.id for name in names], np.object_),
        "name": np.array([name.name for name in names], np.object_),
        "seen": np.array([name.seen for name in names], np.int64),
        "deleted": np.array([name.deleted for name in names], np.bool_),
    }
    cursor.register("new_names", columns)
    cursor.execute("DELETE FROM name USING new_names AS new WHERE name.kind = new.kind AND name.id = new.id")
    cursor.execute("INSERT INTO name SELECT kind, id, name, seen, deleted FROM new_names")
    cursor.unregister("new_names")
