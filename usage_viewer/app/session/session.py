"""Defines `Session`, the operations that the window and the command line may use."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.app.session.capabilities import Capabilities
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.verification.verifier import VerificationOutcome
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Coverage, Refresh
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Span
from usage_viewer.domain.verification import (
    BrokenIdentities,
    Bucket,
    BucketContribution,
    Cell,
    Changes,
    Completeness,
)
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Value

if TYPE_CHECKING:
    from usage_viewer.app.session.store_session import StoreSession


class Session(Protocol):
    """Looks at, fetches and verifies the usage of one or several organizations.

    Every method may be called in any thread. Only `fetch`, `fetch_names` and `verify` use the network.
    Times are epoch seconds.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What can be done with the source of this session."""
        ...

    @property
    def store_session(self) -> "StoreSession | None":
        """The session with the operations that only one organization has; None for several organizations."""
        ...

    def close(self) -> None:
        """Close the sources and the stores."""
        ...

    def check(self, dataset: str | None = None, cancellation: Cancellation | None = None) -> None:
        """Compare the stored usage of one dataset, or of all, with the digests that were kept when it was stored.

        Raises StoreDamaged, as does then every other method that reads the store; Cancelled.
        """
        ...

    # Look

    @property
    def now(self) -> int:
        """The current time by the session's clock."""
        ...

    @property
    def empty(self) -> bool:
        """Whether no bucket of any dataset is stored."""
        ...

    @property
    def names(self) -> Names:
        """The stored names."""
        ...

    def coverage(self, view: ViewState, *, refresh: Refresh = Refresh.NEEDED, now: int | None = None) -> Coverage:
        """Compare what `view` needs as of `now` (None: the clock's time) with what is stored.

        `refresh`: which stored buckets count as stale. Raises InputError, StoreError.
        """
        ...

    def look(self, view: ViewState, cancellation: Cancellation | None = None, *, named: bool = True) -> ViewResult:
        """Answer `view` from what is stored, with names for ids if `named`.

        Raises Cancelled, StoreError, InputError.
        """
        ...

    def values(self, dataset: str, dimension: str) -> tuple[Value, ...]:
        """Return every stored value of a dimension. Raises StoreError."""
        ...

    # Fetch

    @property
    def connected(self) -> bool:
        """Whether at least one organization has a source."""
        ...

    @property
    def unavailable_datasets(self) -> dict[str, UsageViewerError]:
        """The datasets that are not available, with the reason."""
        ...

    def fetch(
        self, view: ViewState, cancellation: Cancellation | None = None, *, refresh: Refresh = Refresh.NEEDED
    ) -> Iterator[Progress]:
        """Fetch what `view` lacks and what may have grown; yield each step.

        Complete buckets that arrived before an error stay stored. Raises CredentialError, NetworkError,
        ServerError, AnswerError, StoreError, Cancelled.
        """
        ...

    def load_names(self, cancellation: Cancellation | None = None) -> Iterator[str]:
        """Do the same as `fetch_names`, and yield a line for the status bar before each long wait."""
        ...

    def fetch_names(self, cancellation: Cancellation | None = None) -> Names:
        """Fetch the lists of names. A stored name that is in no list any more is marked as deleted.

        After an error the names that arrived are stored and none is marked as deleted. Raises CredentialError,
        NetworkError, ServerError, AnswerError, StoreError, Cancelled.
        """
        ...

    def forget_unavailable(self) -> None:
        """Forgets which datasets are not available, so that the next fetch requests them again."""
        ...

    def ask_again(self, dataset: str) -> None:
        """Forget which groupings of a dataset were refused, so that the next fetch requests them again.

        Raises StoreError.
        """
        ...

    # Verify

    def completeness(self, view: ViewState, coverage: Coverage | None = None) -> Completeness:
        """Return the result of earlier verifications of `view`. `coverage`: the view's, if already computed."""
        ...

    def requests_to_verify(self, view: ViewState, coverage: Coverage, *, pending_only: bool = False) -> int:
        """Return how many requests `verify` sends if no bucket has to be fetched again."""
        ...

    def verify(
        self,
        view: ViewState,
        cancellation: Cancellation | None = None,
        *,
        refetch: Sequence[Bucket] = (),
        pending_only: bool = False,
    ) -> VerificationOutcome:
        """Compare the stored sums with the server's sums without grouping; the results stay stored.

        Buckets in `refetch`, and open buckets that have grown, are fetched again first. `pending_only`: buckets
        that were compared since their last fetch are left out if that saves requests. Raises what `fetch` raises.
        """
        ...

    def broken_identities(self, view: ViewState, cancellation: Cancellation | None = None) -> BrokenIdentities:
        """Find rows of `view` in which a whole is not the sum of its parts. Raises Cancelled, StoreError."""
        ...

    def changes(self, dataset: str, span: Span | None, cancellation: Cancellation | None = None) -> Changes:
        """Return values changed by a later fetch in the last 30 days, within `span` (None: all).

        Raises Cancelled, StoreError.
        """
        ...

    def contributions(
        self, result: ViewResult, cell: Cell, metrics: Sequence[str], cancellation: Cancellation | None = None
    ) -> list[BucketContribution]:
        """Return the buckets of a row of `result`, with their rows and the sums of `metrics`.

        Raises Cancelled, StoreError.
        """
        ...
