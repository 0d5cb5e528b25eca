"""Reads a program as screen readers do: over a private AT-SPI bus, which Qt serves on a real display.

Real: the bus, the registry and Qt's bridge. Private: the bus and its socket.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jeepney  # type: ignore[import-untyped]
import pytest
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]

from tests.rigs.buses import start_bus, start_child

_PLACES = ("/usr/libexec", "/usr/lib", "/usr/libexec/at-spi2", "/usr/lib/at-spi2")
_REGISTRY = "at-spi2-registryd"
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_ROOT = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
_DEADLINE = 15.0
"""Seconds; each step takes some 0.05 s on an idle machine."""

_DEEPEST = 50

# Bits of AT-SPI's set of states.
_CHECKED, _FOCUSABLE, _SHOWING = 1 << 4, 1 << 11, 1 << 25

Reference = tuple[str, str]
"""A program's name on the bus, and the path of one of its objects."""


@dataclass(frozen=True)
class Node:
    """Holds what a screen reader knows of an object."""

    reference: Reference
    role: str
    name: str
    description: str
    states: int

    @property
    def is_showing(self) -> bool:
        return bool(self.states & _SHOWING)

    @property
    def is_focusable(self) -> bool:
        return bool(self.states & _FOCUSABLE)

    @property
    def is_checked(self) -> bool:
        return bool(self.states & _CHECKED)


class ScreenReader:
    """Walks the tree of the only program on the bus, and notes what it says and where the focus goes."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._calls = open_dbus_connection(bus=address)
        self._events, self._lookups = open_dbus_connection(bus=address), open_dbus_connection(bus=address)
        self._closed = False
        self.said: list[str] = []
        self.focused: list[list[str]] = []  # the names from the object with the focus up to its window
        for kind in ("object:announcement", "object:state-changed:focused"):
            self._ask(self._calls, _ROOT[0], "/org/a11y/atspi/registry", _ROOT[0], "RegisterEvent", "s", (kind,))
        rule = jeepney.MatchRule(type="signal", interface="org.a11y.atspi.Event.Object")
        bus = jeepney.message_bus
        self._events.send_and_get_reply(bus.AddMatch(rule))
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let a Qt program be read."""
        return {"AT_SPI_BUS_ADDRESS": self._address, "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}

    def tree(self) -> Iterator[Node]:
        """Yield the visible objects of the program, parents first; of a table only what is before its cells."""
        for reference in self._children(_ROOT):
            yield from self._walk(reference)

    def wait_for(self, text: str, after: int = 0) -> str:
        """Wait until something is said that contains `text`, and return it; `after` leaves out the first ones."""
        found: list[str] = []

        def heard() -> bool:
            found[:] = [said for said in self.said[after:] if text in said]
            return bool(found)

        self.wait_until(heard, f"{text!r}; it said {self.said[after:]}")
        return found[0]

    @staticmethod
    def wait_until(is_true: Callable[[], bool], what: str) -> None:
        """Wait for a condition. Raises AssertionError at the deadline."""
        end = time.monotonic() + _DEADLINE
        while not is_true():
            assert time.monotonic() < end, f"waited for {what}"
            time.sleep(0.02)

    def _walk(self, reference: Reference) -> Iterator[Node]:
        try:
            role, states = self._call(reference, "GetRoleName"), self._call(reference, "GetState")[0]
            name, description = self._property(reference, "Name"), self._property(reference, "Description")
            children = self._children(reference)
        except LookupError:  # it is gone
            return
        node = Node(reference, role, name, description, states)
        if not node.is_showing and role not in ("application", "frame"):
            return
        yield node
        for child in children:
            if role == "table" and self._is_cell(child):
                return
            yield from self._walk(child)

    def _is_cell(self, reference: Reference) -> bool:
        try:
            return bool(self._call(reference, "GetRoleName") == "cell")
        except LookupError:  # it is gone: the table has new rows
            return False

    def _children(self, reference: Reference) -> list[Reference]:
        children: list[Reference] = self._call(reference, "GetChildren")
        return children

    def _property(self, reference: Reference, name: str, connection: Any = None) -> Any:
        interface = "org.freedesktop.DBus.Properties"
        return self._ask(connection or self._calls, *reference, interface, "Get", "ss", (_ACCESSIBLE, name))[1]

    def _call(self, reference: Reference, method: str) -> Any:
        return self._ask(self._calls, *reference, _ACCESSIBLE, method)

    @staticmethod
    def _ask(
        connection: Any,
        program: str,
        path: str,
        interface: str,
        method: str,
        signature: str | None = None,
        body: tuple[Any, ...] = (),
    ) -> Any:
        address = jeepney.DBusAddress(path, program, interface)
        reply = connection.send_and_get_reply(
            jeepney.new_method_call(address, method, signature, body), timeout=_DEADLINE
        )
        if reply.header.message_type is not jeepney.MessageType.method_return:
            raise LookupError(f"{path} {method}: {reply.body}")
        return reply.body[0] if reply.body else None

    def _names_up(self, reference: Reference) -> list[str]:
        names = list[str]()
        with suppress(LookupError):  # it is gone
            while reference[1] != _ROOT[1] and len(names) < _DEEPEST:
                names += filter(None, [self._property(reference, "Name", self._lookups)])
                reference = self._property(reference, "Parent", self._lookups)
        return names

    def _listen(self) -> None:
        while not self._closed:
            try:
                self._note(self._events.receive())
            except Exception:
                if not self._closed:  # the end of the program or of the bus
                    raise

    def _note(self, message: Any) -> None:
        fields = message.header.fields
        member = fields.get(jeepney.HeaderFields.member)
        if member == "Announcement":
            self.said.append(message.body[3][1])
        elif member == "StateChanged" and message.body[0] == "focused" and message.body[1]:
            reference = (fields[jeepney.HeaderFields.sender], fields[jeepney.HeaderFields.path])
            self.focused.append(self._names_up(reference))

    def close(self) -> None:
        self._closed = True
        for connection in (self._calls, self._events, self._lookups):
            connection.close()


@contextmanager
def screen_reader(directory: Path) -> Iterator[ScreenReader]:
    """Yield a screen reader with a bus in `directory`, whose path must be short. Skips the test without AT-SPI."""
    registry = shutil.which(_REGISTRY, path=os.pathsep.join(_PLACES))
    if registry is None or shutil.which("dbus-daemon") is None:
        pytest.skip("not installed: at-spi2-core or dbus-daemon")
    with ExitStack() as running:
        config = directory / "accessibility.conf"
        address = start_bus(running, config, os.environ, kind="accessibility", sockets=directory)
        addresses = {"AT_SPI_BUS_ADDRESS": address, "DBUS_SESSION_BUS_ADDRESS": address}
        start_child(running, [registry], {**os.environ, **addresses})
        with open_dbus_connection(bus=address) as connection:
            has_owner = jeepney.message_bus.NameHasOwner(_ROOT[0])
            ScreenReader.wait_until(
                lambda: bool(connection.send_and_get_reply(has_owner).body[0]), "the registry of AT-SPI"
            )
        reader = ScreenReader(address)
        running.callback(reader.close)
        yield reader
