"""`Profile`: an organization: its name, its key's place, its data and its server, put together when needed."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from usage_viewer.app.source import ApiSource
from usage_viewer.domain.key import AdminKey

if TYPE_CHECKING:
    from usage_viewer.app.session import Session
    from usage_viewer.keystore import Keystore


class Profile:
    """Everything that takes time (database, keyring, network) is opened by its methods, in any thread.

    `database` None keeps the usage in memory. `keystore` makes the profile's keystore, once.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str,
        database: Path | None,
        keystore: "Callable[[], Keystore]",
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.time,
        workers: int = 8,
        week_start: int = 0,
    ) -> None:
        self.name, self.base_url, self.database = name, base_url, database
        self._make_keystore, self._ca_file = keystore, ca_file
        self._clock, self._workers, self._week_start = clock, workers, week_start
        self._lock = threading.Lock()

    @cached_property
    def _keystore(self) -> "Keystore":
        return self._make_keystore()

    @property
    def keystore(self) -> "Keystore":
        """May wait for the system's keyring. Raises KeyringError."""
        with self._lock:
            return self._keystore

    def open_session(self) -> "Session":
        """Opens the database. Raises StoreError."""
        from usage_viewer.app.session import Session
        from usage_viewer.store import Store

        store = Store.open(self.database)
        return Session(store, clock=self._clock, workers=self._workers, week_start=self._week_start)

    def start_anew(self) -> None:
        """Keeps the damaged database aside, so that the next `open_session` begins with an empty one."""
        from usage_viewer.store import Store

        if self.database is not None:
            Store.set_aside(self.database)

    def source(self, key: AdminKey) -> ApiSource:
        return ApiSource(self.base_url, key, ca_file=self._ca_file)

    def check_key(self, key: AdminKey) -> None:
        """One cheap call. Raises CredentialError, NetworkError, ServerError, AnswerError, InputError."""
        with closing(self.source(key)) as source:
            source.check_key(int(self._clock()))


class Demo(Protocol):
    """A synthetic organization, and the process that serves it until `close`."""

    @property
    def profile(self) -> Profile: ...

    def close(self) -> None: ...
