"""Finds and installs the system packages that are missing on this computer, on Debian and its descendants."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from steps import count_lines, run_step

DAEMON_DIRECTORIES = [
    Path("/usr/libexec"),
    Path("/usr/lib"),
    Path("/usr/libexec/at-spi2"),
    Path("/usr/lib/at-spi2"),
]

LISTS = Path(__file__).resolve().parent / "system-packages"

LOCK_WAIT = 300
"""Seconds to wait while another program, such as the updates of a first boot, uses the package manager."""

APT = ["apt-get", "-o", f"DPkg::Lock::Timeout={LOCK_WAIT}"]
INSTALL = [*APT, "install", "-y", "--no-install-recommends"]
# Without this option apt reports success for package lists that it could not download.
UPDATE = [*APT, "-o", "APT::Update::Error-Mode=any", "update"]

_LISTS_LOCKED = re.compile(r"Could not get lock \S*/lists/lock|Unable to lock directory")
_PROBLEM = re.compile(r"^(E|W|Err)\b.*", re.MULTILINE)
_MOST_PROBLEMS = 6


class SystemPackagesMissing(Exception):
    """Reports that system packages are missing; the message says what to do."""


@dataclass(frozen=True)
class Need:
    """Holds one line of a list: a probe that tests for a requirement, and the package that provides it."""

    probe: str
    package: str


def read_list(text: str) -> dict[str, list[Need]]:
    """Return the needs of each section, in the order of the list. Raises ValueError for a malformed line."""
    sections: dict[str, list[Need]] = {}
    current: list[Need] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) == 1 and line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        elif len(words) == 2 and current is not None:
            current.append(Need(*words))
        else:
            raise ValueError(f"line {number} is neither a section nor a probe and a package: {line!r}")
    return sections


def is_debian(os_release: str) -> bool:
    """Report whether an os-release text is that of Debian or of a distribution that descends from it."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").replace("'", "").split()
    return bool({"debian", "ubuntu"} & set(names))


def is_present(probe: str) -> bool:
    """Report whether this computer has what a probe tests for. Raises ValueError for an unknown probe."""
    kind, _, name = probe.partition(":")
    if kind == "library":
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True
    if kind == "command":
        return shutil.which(name) is not None
    if kind == "daemon":
        return any((directory / name).is_file() for directory in DAEMON_DIRECTORIES)
    if kind == "module":
        importlib.invalidate_caches()
        return importlib.util.find_spec(name) is not None
    if kind == "python":
        return has_shared_python()
    if kind == "font":
        return any_font()
    raise ValueError(f"unknown probe: {probe!r}")


def has_shared_python() -> bool:
    """Report whether this Python has a shared library, which a packaged program contains."""
    try:
        ctypes.CDLL(sysconfig.get_config_var("INSTSONAME"))
    except OSError:
        return False
    return True


def any_font() -> bool:
    """Report whether a scalable font is in one of fontconfig's default directories."""
    home = Path.home()
    directories = [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".fonts",
        home / ".local/share/fonts",
    ]
    endings = {".ttf", ".otf", ".ttc", ".pfb"}
    return any(path.suffix.lower() in endings for directory in directories for path in directory.rglob("*"))


def missing(sections: dict[str, list[Need]], names: list[str]) -> list[Need]:
    """Return the needs of the named sections that this computer doesn't meet."""
    return [need for section in names for need in sections[section] if not is_present(need.probe)]


def ensure(names: list[str]) -> bool:
    """Install the missing packages of the named sections; return whether any were missing.

    Raises SystemPackagesMissing if this user can't install packages, if the distribution is not Debian's, or if a
    need is still not met after the installation. On systems other than Linux nothing happens: there the wheels
    include everything.
    """
    if not sys.platform.startswith("linux"):
        return False
    sections = read_list((LISTS / "debian.txt").read_text(encoding="utf-8"))
    unmet = missing(sections, names)
    if not unmet:
        return False
    packages = list(dict.fromkeys(need.package for need in unmet))
    if not is_debian(read_os_release()):
        raise SystemPackagesMissing(
            f"This computer lacks: {', '.join(need.probe.partition(':')[2] for need in unmet)}\n"
            "Packages are installed on Debian and its descendants only. Install these parts with the package"
            " manager of this distribution and run this again."
            f" Debian's packages with them: {' '.join(packages)}"
        )
    become_root = root_prefix()
    if become_root is None:
        raise SystemPackagesMissing(
            f"These system packages are missing: {' '.join(packages)}\n"
            f"Install them with:\n\n    {command_for_user(packages)}\n\nand run this again."
        )
    install(packages, become_root)
    still_missing = [need for need in unmet if not is_present(need.probe)]
    if still_missing:
        probes = ", ".join(f"{need.probe} (package {need.package})" for need in still_missing)
        raise SystemPackagesMissing(f"Installed, but still missing for {sys.executable}: {probes}")
    return True


def read_os_release() -> str:
    """Return the text that names this computer's distribution; empty if there is none."""
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return ""


def command_for_user(packages: list[str]) -> str:
    """Return the shell command that loads the package lists and installs packages."""
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {shlex.join(packages)}"


def install(packages: list[str], become_root: list[str]) -> None:
    """Install packages; if that fails, load the package lists and try again. Raises SystemPackagesMissing.

    `become_root` is put before each command.
    """
    if shutil.which("apt-get") is None:
        raise SystemPackagesMissing(f"apt-get is not on PATH. It is needed for: {' '.join(packages)}")
    print(f"Installing {len(packages)} system packages: {' '.join(packages)}", flush=True)
    status, _ = run_apt(become_root + INSTALL + packages)
    if status == 0:
        return
    # Package lists are often empty or old on a new computer. The installation is tried even if one package source
    # doesn't respond.
    print("Loading the package lists", flush=True)
    update_status, update_output = update(become_root)
    status, output = run_apt(become_root + INSTALL + packages)
    if status:
        # Packages without a candidate are a consequence of package lists that could not be loaded.
        problems = find_problems(update_output) if update_status else find_problems(output) or output.strip()
        raise SystemPackagesMissing(
            f"apt-get could not install the system packages:\n\n{problems}\n\n"
            f"When this is solved, run this again, or:\n\n    {command_for_user(packages)}"
        )


def update(become_root: list[str], wait: float = LOCK_WAIT, pause: float = 2) -> tuple[int, str]:
    """Load the package lists; return the exit status and the output.

    apt-get's own waiting (`DPkg::Lock::Timeout`) does not include the lock of the lists: while another program
    holds that lock, the command runs again every `pause` seconds, for `wait` seconds at most.
    """
    until = time.monotonic() + wait
    status, output = run_apt(become_root + UPDATE)
    while status and _LISTS_LOCKED.search(output) and time.monotonic() < until:
        print("  Waiting: another program is using the package manager", flush=True)
        time.sleep(pause)
        status, output = run_apt(become_root + UPDATE)
    return status, output


def find_problems(output: str) -> str:
    """Return the different errors and warnings in apt-get's output, at most 6, one in each line."""
    problems = list(dict.fromkeys(match[0].rstrip() for match in _PROBLEM.finditer(output)))
    more = len(problems) - _MOST_PROBLEMS
    return "\n".join(problems[:_MOST_PROBLEMS] + ([f"… and {more} more problems"] if more > 0 else []))


def root_prefix() -> list[str] | None:
    """Return the words before a command that run it as root; None if this user can't become root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() else None


def run_apt(command: list[str]) -> tuple[int, str]:
    """Run apt-get without questions and print how far it is; return its exit status and its output."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    report = count_lines(("Setting up ",), "packages are set up")
    return run_step(command, report, environment, keep_input="sudo" in command[:1])
