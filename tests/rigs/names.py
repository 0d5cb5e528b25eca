"""Answers look-ups of host names in this process. Real: sockets and addresses. Made up: which names there are.

No look-up reaches the computer's own resolver, so that a test gives the same result on every network.
"""

import socket
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class HostNames:
    """Every name in `addresses` has that address; no other name has any."""

    addresses: dict[str, str] = field(default_factory=dict)

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Answers in place of `socket.getaddrinfo` until the test ends."""
        system = socket.getaddrinfo

        def look_up(host: Any, *rest: Any, **named: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            if name is None or _is_address(name) or name == "localhost":
                return system(host, *rest, **named)
            if name not in self.addresses:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return system(self.addresses[name], *rest, **named)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, name)
        except OSError:
            continue
        return True
    return False
