"""`SnapshotSession`: a session on what a snapshot holds."""

from collections.abc import Callable, Collection

from usage_viewer.app.session.session import Session
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.errors import SnapshotError, UsageViewerError
from usage_viewer.store import Store


class SnapshotSession(Session):
    """`datasets` are those that it holds."""

    def __init__(
        self, store: Store, datasets: Collection[str], *, clock: Callable[[], float], week_start: int = 0
    ) -> None:
        super().__init__(store, clock=clock, week_start=week_start)
        self._datasets = frozenset(datasets)

    @property
    def unavailable(self) -> dict[str, UsageViewerError]:
        """What it was saved without."""
        absent = SnapshotError(title="Not in this snapshot", hint="Nothing of it was held when it was saved.")
        return {name: absent for name in DATASETS if name not in self._datasets}
