"""`Profile`: an organization: its name, its key's place, its data and its server, put together when needed."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from usage_viewer.app.fetch.api_source import ApiSource
from usage_viewer.app.session.capabilities import ORGANIZATION
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.durations import duration

if TYPE_CHECKING:
    from usage_viewer.api import Timeouts
    from usage_viewer.app.session.session import Session
    from usage_viewer.keystore import Keystore


CLOCK_ERROR = 600
"""Seconds by which this computer's clock may be wrong before the server's is used instead."""


class Profile:
    """Everything that takes time (database, keyring, network) is opened by its methods, in any thread.

    `label` is the name that is shown.
    `database` None keeps the usage in memory. `keystore` makes the profile's keystore, once. `ca_file` (PEM) is
    trusted beside the system's certificates. Tests give shorter `timeouts`, and a `wait` between two tries that
    takes no time (it is told the seconds, and answers True to give up).
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
        ca_file: Path | None = None,
        clock: Callable[[], float] = time.time,
        workers: int | None = None,
        week_start: int = 0,
        timeouts: "Timeouts | None" = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        self.name, self.base_url, self.database = name, base_url, database
        self.label = label or name
        self._make_keystore, self._ca_file = keystore, ca_file
        self._clock, self._workers, self._week_start = clock, workers, week_start
        self._timeouts, self._wait = timeouts, wait
        self._clock_error = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Epoch seconds by the server's clock, once it has answered and if ours is clearly wrong."""
        return self._clock() + self._clock_error

    @property
    def clock_note(self) -> str:
        """What is wrong with this computer's clock; "" if nothing is."""
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
        """May wait for the system's keyring. Raises KeyringError."""
        with self._lock:
            return self._keystore

    def open_session(self, week_start: int | None = None) -> "Session":
        """Opens the database. `week_start`: the first day of weeks (Monday is 0), if not the profile's. Raises
        StoreError.
        """
        from usage_viewer.app.session.store_session import WORKERS, StoreSession
        from usage_viewer.store import Store

        store = Store.open(self.database)
        first_day = self._week_start if week_start is None else week_start
        return StoreSession(store, clock=self.now, workers=self._workers or WORKERS, week_start=first_day)

    def start_anew(self) -> Path | None:
        """Keeps the damaged database aside, so that the next `open_session` begins with an empty one.

        Returns where it is kept; None where there is no file. Raises StoreNotWritable.
        """
        from usage_viewer.store import Store

        return None if self.database is None else Store.set_aside(self.database)

    def source(self, key: AdminKey) -> ApiSource:
        return ApiSource(
            self.base_url,
            key,
            ca_file=self._ca_file,
            timeouts=self._timeouts,
            wait=self._wait,
            clock=self._clock,
            on_clock_error=self._note_clock_error,
        )

    def check_key(self, key: AdminKey) -> None:
        """One cheap call. Raises CredentialError, NetworkError, ServerError, AnswerError, InputError."""
        with closing(self.source(key)) as source:
            source.check_key(int(self.now()))


class Demo(Protocol):
    """A synthetic organization, and the process that serves it until `close`."""

    @property
    def profile(self) -> Profile: ...

    def close(self) -> None: ...
