"""Finds and installs the system packages that are missing on this computer."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

DAEMON_DIRECTORIES = [
    Path("/usr/libexec"),
    Path("/usr/lib"),
    Path("/usr/libexec/at-spi2"),
    Path("/usr/lib/at-spi2"),
]

LISTS = Path(__file__).resolve().parent / "system-packages"

# For each family of distributions: its names in os-release (ID and ID_LIKE), the command that installs packages,
# and the command that refreshes the package lists, which runs only after a failed installation.
FAMILIES: dict[str, tuple[frozenset[str], list[str], list[str]]] = {
    "debian": (
        frozenset({"debian", "ubuntu"}),
        ["apt-get", "install", "-y", "--no-install-recommends"],
        ["apt-get", "update"],
    ),
    "fedora": (
        frozenset({"fedora", "rhel", "centos"}),
        ["dnf", "install", "-y"],
        ["dnf", "makecache"],
    ),
    "arch": (
        frozenset({"arch"}),
        ["pacman", "-S", "--needed", "--noconfirm"],
        ["pacman", "-Sy"],
    ),
    "opensuse": (
        frozenset({"opensuse", "suse", "sles"}),
        ["zypper", "--non-interactive", "install", "--no-recommends"],
        ["zypper", "--non-interactive", "refresh"],
    ),
}


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


def family_of(os_release: str) -> str | None:
    """Return the family of distributions of an os-release text; None if it is unknown."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = [
        fields.get("ID", "").strip("\"'"),
        *fields.get("ID_LIKE", "").strip("\"'").split(),
    ]
    for name in names:
        for family, (names_of_family, _, _) in FAMILIES.items():
            if name in names_of_family or (family == "opensuse" and name.startswith("opensuse")):
                return family
    return None


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


def ensure(names: list[str]) -> None:
    """Install the missing packages of the named sections.

    Raises SystemPackagesMissing if this user can't install packages, if the distribution is unknown, or if a need
    is still not met after the installation. On systems other than Linux nothing happens: there the wheels include
    everything.
    """
    if not sys.platform.startswith("linux"):
        return
    family = this_family()
    sections = read_list((LISTS / f"{family or 'debian'}.txt").read_text(encoding="utf-8"))
    unmet = missing(sections, names)
    if not unmet:
        return
    packages = list(dict.fromkeys(need.package for need in unmet))
    if family is None:
        probes = ", ".join(need.probe.partition(":")[2] for need in unmet)
        raise SystemPackagesMissing(
            f"These are missing: {probes}.\n"
            f"This distribution is unknown. On Debian the packages are: {' '.join(packages)}"
        )
    install(family, packages)
    still_missing = [need for need in unmet if not is_present(need.probe)]
    if still_missing:
        probes = ", ".join(f"{need.probe} (package {need.package})" for need in still_missing)
        raise SystemPackagesMissing(f"Installed, but still missing for {sys.executable}: {probes}")


def this_family() -> str | None:
    """Return this computer's family of distributions; None if it is unknown."""
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            return family_of(path.read_text(encoding="utf-8"))
    return None


def install(family: str, packages: list[str]) -> None:
    """Install packages; if that fails, refresh the package lists and try again. Raises SystemPackagesMissing."""
    _, command, refresh = FAMILIES[family]
    command = command + packages
    become_root = root_prefix()
    if become_root is None:
        raise SystemPackagesMissing(
            f"These system packages are missing: {' '.join(packages)}\n"
            f"Install them with:\n\n    sudo {shlex.join(command)}\n\nand run this again."
        )
    if shutil.which(command[0]) is None:
        raise SystemPackagesMissing(f"{command[0]} is not on PATH. This command is needed: {shlex.join(command)}")
    print(f"Installing system packages: {' '.join(packages)}", flush=True)
    if run_quietly(become_root + command) is None:
        return
    # Package lists are often empty or old on a new computer. The result of the refresh is ignored, because the
    # installation can succeed even if one package source doesn't respond.
    run_quietly(become_root + refresh)
    output = run_quietly(become_root + command)
    if output is not None:
        raise SystemPackagesMissing(f"{output}\nThe command above failed: {shlex.join(command)}")


def root_prefix() -> list[str] | None:
    """Return the words before a command that run it as root; None if this user can't become root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() else None


def run_quietly(command: list[str]) -> str | None:
    """Run a command that must not ask questions; return its output if it failed, otherwise None."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=None if "sudo" in command[:1] else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.stdout if done.returncode else None
