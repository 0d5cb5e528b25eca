"""Defines `Profile`, which opens an organization's database, keystore and server connection."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from usage_viewer.app.fetch.api_source import DEFAULT_CONNECTION, ApiSource, ConnectionOptions
from usage_viewer.app.profile.data_directory import claim_of
from usage_viewer.app.session.capabilities import ORGANIZATION
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.display_text import duration

if TYPE_CHECKING:
    from usage_viewer.app.session.session import Session
    from usage_viewer.keystore import Keystore


CLOCK_ERROR = 600
"""Seconds by which this computer's clock may be wrong; beyond that, the server's clock is used."""


class Profile:
    """Opens an organization's database, keystore and server connection when they are needed.

    Creating a profile opens nothing. The methods may take long (database, keyring, network) and can be called in
    any thread. `name` is the profile's id, `label` its displayed name. With `database` None, usage is kept in
    memory. `keystore` creates the profile's keystore; it is called once. `clock` returns epoch seconds.
    """

    capabilities = ORGANIZATION
    """What the window and the command line may offer for this profile."""

    member_ids: tuple[str, ...] = ()
    """The ids of the organizations of a combined profile."""

    def __init__(
        self,
        name: str,
        *,
        label: str = "",
        base_url: str,
        database: Path | None,
        keystore: "Callable[[], Keystore]",
        connection: ConnectionOptions = DEFAULT_CONNECTION,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name, self.base_url, self.database = name, base_url, database
        self.label, self.server_note = label or name, connection.server_note
        self._make_keystore, self._connection, self._clock = keystore, connection, clock
        self._clock_error = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return epoch seconds by this computer's clock, or by the server's if this one is clearly wrong."""
        return self._clock() + self._clock_error

    def time_of_fetch(self) -> float:
        """Return the earlier of this computer's and the server's time, in epoch seconds.

        A bucket that counts as fetched too early is fetched again; one that counts as fetched too late would be
        final while it still grows.
        """
        return min(self._clock(), self.now())

    @property
    def clock_note(self) -> str:
        """Return a sentence on how wrong this computer's clock is; "" if it is right."""
        if not self._clock_error:
            return ""
        way = "behind" if self._clock_error > 0 else "ahead"
        return f"This computer's clock is {duration(abs(self._clock_error))} {way}; the server's time is used"

    def _note_clock_error(self, seconds: float) -> None:
        self._clock_error = seconds if abs(seconds) > CLOCK_ERROR else 0.0

    @cached_property
    def _keystore(self) -> "Keystore":
        return self._make_keystore()

    @property
    def keystore(self) -> "Keystore":
        """Return the profile's keystore. May wait for the system's keyring. Raises KeyringError."""
        with self._lock:
            return self._keystore

    def open_session(self, week_start: int = 0) -> "Session":
        """Return a session on the opened database; weeks begin on `week_start` (Monday is 0). Raises StoreError."""
        from usage_viewer.app.session.store_session import WORKERS, StoreSession
        from usage_viewer.app.spend.line_mappings import FILE_NAME, LineMappings
        from usage_viewer.store import Store

        if self.database is not None:
            claim_of(self.database)
        store = Store.open(self.database)
        workers = self._connection.workers or WORKERS
        return StoreSession(
            store,
            clock=self.now,
            time_of_fetch=self.time_of_fetch,
            workers=workers,
            week_start=week_start,
            mappings=None if self.database is None else LineMappings(self.database.with_name(FILE_NAME)),
        )

    def start_over(self) -> Path | None:
        """Rename the damaged database, so that the next `open_session` starts with an empty one.

        Returns the new path of the damaged database; None for a profile without a file. Raises StoreNotWritable.
        """
        from usage_viewer.store import Store

        return None if self.database is None else Store.set_aside(self.database)

    def source(self, key: AdminKey) -> ApiSource:
        """Return the source that fetches from the profile's server with this key; it connects when first used."""
        return ApiSource(
            self.base_url, key, self._connection, clock=self._clock, on_clock_error=self._note_clock_error
        )

    def check_key(self, key: AdminKey) -> None:
        """Check the key with one small request to the server.

        Raises CredentialError, NetworkError, ServerError, AnswerError, InputError.
        """
        with closing(self.source(key)) as source:
            source.check_key(int(self.now()))


class Demo(Protocol):
    """Provides a synthetic organization and the process that serves it."""

    @property
    def profile(self) -> Profile:
        """Return the profile of the synthetic organization."""

    def close(self) -> None:
        """Stop the process."""
