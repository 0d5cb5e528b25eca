"""The desktop's portal serves the window, whose memory no other process can read."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs.buses import start_bus, start_child
from tests.rigs.command_line import ROOT
from tests.trust.conftest import Program
from tests.trust.known_usage import organization
from usage_viewer.demo.server.server import DemoServer

pytestmark = [
    pytest.mark.display,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="portals are for Linux"),
]

ORDINARY = ("setpriv", "--bounding-set=-all") if sys.platform == "linux" and os.geteuid() == 0 else ()
"""Starts a program without the rights of root, which may read the memory of all processes."""


@dataclass
class Portal:
    """A stand-in for the portal on a private bus."""

    address: str
    process: "subprocess.Popen[bytes]"

    def answers(self) -> list[tuple[str, str]]:
        """End the portal, and return the questions with "allowed" or "refused"."""
        self.process.terminate()
        assert self.process.stdout is not None
        lines = self.process.stdout.read().decode().splitlines()
        return [(question, answer) for question, _, answer in (line.partition(" ") for line in lines)]


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    with tempfile.TemporaryDirectory() as sockets, ExitStack() as running:
        address = start_bus(running, tmp_path / "bus.conf", os.environ, kind="session", sockets=sockets)
        process = start_child(
            running,
            [*ORDINARY, sys.executable, "-m", "tests.rigs.portal", address],
            os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield Portal(address, process)


def test_portal_serves_a_window_whose_memory_is_protected(
    portal: Portal, xvfb_display: str, tmp_path: Path
) -> None:
    """Qt asks the portal of GNOME for colours."""
    desktop = {
        "DISPLAY": xvfb_display,
        "QT_QPA_PLATFORM": "xcb",
        "XDG_CURRENT_DESKTOP": "GNOME",
        "DBUS_SESSION_BUS_ADDRESS": portal.address,
    }
    with DemoServer(organization()) as server:
        program = Program(server, tmp_path)
        for _ in range(2):  # the second start shows the table of the first one before the rest is loaded
            with program.window(within=ORDINARY, env=desktop) as window:
                window.wait_for("shown")
                for name in ("environ", "mem"):
                    read = subprocess.run(
                        [*ORDINARY, "head", "-c", "1", f"/proc/{window.process.pid}/{name}"], capture_output=True
                    )
                    assert b"Permission denied" in read.stderr
                window.tell("close")
                assert window.process.wait(30) == 0
                assert "dbus reply error" not in window.err
    answers = portal.answers()
    assert ("ReadAll", "allowed") in answers
    assert ("Get", "allowed") in answers
    assert [question for question, answer in answers if answer != "allowed"] == []
