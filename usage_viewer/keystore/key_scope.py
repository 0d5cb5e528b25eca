"""Defines `KeyScope`: the organization, the server and the data directory that a key is given for."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from usage_viewer.domain.origin import origin_of

VENDOR_SERVER = "https://api.openai.com"


@dataclass(frozen=True, slots=True)
class UnboundEntry:
    """Describes an entry of an older version, which is named by the profile alone.

    `server` is the origin that its key was given for. `adopted` says that it belongs to this data directory, so
    that it is moved without a question. `removed` says that no other data directory can own it, so that forgetting
    the key removes it too.
    """

    server: str = VENDOR_SERVER
    adopted: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True)
class KeyScope:
    """Identifies what a key is for: a profile, a server (an origin) and a data directory."""

    profile: str
    server: str
    data_dir: Path
    unbound: UnboundEntry = UnboundEntry()

    @classmethod
    def of(cls, profile: str, base_url: str, data_dir: Path, unbound: UnboundEntry | None = None) -> "KeyScope":
        """Return the scope of a profile whose server has this base URL."""
        return cls(profile, origin_of(base_url), data_dir, unbound or UnboundEntry())

    def entry(self, server: str) -> str:
        """Return the user name of the keyring's entry for a server."""
        return f"{self.profile} {server} {self._directory}"

    @property
    def server_list(self) -> str:
        """Return the user name of the keyring's entry that lists the servers with a key."""
        return f"{self.profile} servers {self._directory}"

    @property
    def _directory(self) -> str:
        """A digest, since Windows limits a user name to 513 characters and D-Bus to valid UTF-8."""
        path = os.path.normcase(os.path.realpath(self.data_dir))
        return hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
