"""Defines what a fetch needs from a source of usage and names."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.names import NamePage
from usage_viewer.domain.network_errors import RequestRefused
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

    def refusal(
        self, dataset: Dataset, bucket: BucketRun, grouped: tuple[str, ...], *, cancellation: Cancellation
    ) -> RequestRefused | None:
        """Return the error with which a request for one bucket, grouped by `grouped`, is refused.

        None: it is accepted. The response is not decoded.
        """
        ...

    def names(self, now: int, read_at: Mapping[str, int], *, cancellation: Cancellation) -> Iterator[NamePage]:
        """Yield the names of every list, marked as seen at `now` (epoch seconds).

        `read_at` tells when each list was last read to its end, by what `NamePage.finished` calls it.

        An error means that at least one list was not read.
        """
        ...

    def close(self) -> None:
        """Close idle connections. Running requests finish and then close theirs."""
        ...
