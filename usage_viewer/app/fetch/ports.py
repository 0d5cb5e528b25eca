"""Defines what a fetch needs from a source of usage and names."""

from collections.abc import Callable, Iterator
from typing import Protocol

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.names import Name
from usage_viewer.domain.period import BucketRun

OnNotice = Callable[[str], None]
"""Receives a short text for the user, such as why a request is repeated."""


class Source(Protocol):
    """One organization's usage and names.

    Every method may be called in any thread. Raises CredentialError, NetworkError, ServerError, AnswerError,
    Cancelled.
    """

    def fetch(
        self,
        dataset: Dataset,
        window: BucketRun,
        grouped: tuple[str, ...],
        *,
        cancellation: Cancellation,
        on_notice: OnNotice,
    ) -> Iterator[Batch]:
        """Yield the buckets of `window`, grouped by the dimensions `grouped`."""
        ...

    def accepted_dimensions(
        self, dataset: Dataset, day: BucketRun, *, cancellation: Cancellation
    ) -> tuple[str, ...]:
        """Return the dimensions that the organization may group by together.

        Raises RequestRefused if a request without any dimension is refused too.
        """
        ...

    def names(self, now: int, *, cancellation: Cancellation) -> Iterator[list[Name]]:
        """Yield the names of every list, marked as seen at `now` (epoch seconds).

        An error means that at least one list was not read.
        """
        ...

    def close(self) -> None:
        """Close idle connections. Running requests finish and then close theirs."""
        ...
