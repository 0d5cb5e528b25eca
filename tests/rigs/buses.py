"""Starts D-Bus daemons and other children, which end with the tests. Real: the daemons. Private: their sockets."""

import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

_DEADLINE = 60.0

# Without the system's own service files: a bus would start another service as soon as the tests' own has ended.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>{kind}</type>
  <listen>unix:dir={sockets}</listen>
  <auth>EXTERNAL</auth>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def start_bus(
    running: ExitStack,
    config: Path,
    environment: Mapping[str, str],
    *,
    kind: str,
    sockets: str | Path,
    services: Path | None = None,
) -> str:
    """Start a bus that ends with `running`, and return its address.

    `config` is the file to write; `kind` is the type of the bus, `sockets` a directory with a short path, and
    `services` the directory of the service files.
    """
    directory = "" if services is None else f"<servicedir>{services}</servicedir>"
    config.write_text(_BUS.format(kind=kind, sockets=sockets, services=directory))
    bus = start_child(
        running, ["dbus-daemon", "--nofork", f"--config-file={config}", "--print-address=1"], environment
    )
    assert bus.stdout is not None
    address = bus.stdout.readline().decode().strip()
    assert address, "the bus gave no address"
    return address


def start_child(running: ExitStack, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program that ends with `running`, also if the tests are killed."""
    if shutil.which("setpriv"):
        command = ["setpriv", "--pdeathsig", "KILL", *command]
    child = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    running.callback(_end, child)
    return child


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait(_DEADLINE)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
