"""Which system packages are missing on this machine, and the command that installs them."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LISTS = Path(__file__).resolve().parent / "system-packages"

# How each family of distributions is recognized (ID and ID_LIKE of os-release) and asked for packages.
# "refresh" renews the package lists; it runs only when an installation failed without it.
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
    """Something the program needs is not on this machine; the message says what to do."""


@dataclass(frozen=True)
class Need:
    """One line of a list: how to see whether it is there, and the package that brings it."""

    probe: str
    package: str


def read_list(text: str) -> dict[str, list[Need]]:
    """The needs of each section, in the order of the list."""
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
    """The family of distributions that an os-release text belongs to; None when it is not known here."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    names = [
        fields.get("ID", "").strip("\"'"),
        *fields.get("ID_LIKE", "").strip("\"'").split(),
    ]
    for name in names:
        for family, (known, _, _) in FAMILIES.items():
            if name in known or (family == "opensuse" and name.startswith("opensuse")):
                return family
    return None


def is_present(probe: str) -> bool:
    """Whether what a probe asks for is on this machine."""
    kind, _, name = probe.partition(":")
    if kind == "library":
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True
    if kind == "command":
        return shutil.which(name) is not None
    if kind == "module":
        importlib.invalidate_caches()
        return importlib.util.find_spec(name) is not None
    if kind == "font":
        return any_font()
    raise ValueError(f"unknown probe: {probe!r}")


def any_font() -> bool:
    """Whether a scalable font lies where fontconfig looks by default."""
    home = Path.home()
    places = [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".fonts",
        home / ".local/share/fonts",
    ]
    endings = {".ttf", ".otf", ".ttc", ".pfb"}
    return any(path.suffix.lower() in endings for place in places for path in place.rglob("*"))


def missing(sections: dict[str, list[Need]], wanted: list[str]) -> list[Need]:
    """The needs of the wanted sections that this machine doesn't meet."""
    return [need for section in wanted for need in sections[section] if not is_present(need.probe)]


def ensure(wanted: list[str]) -> None:
    """Install what the wanted sections lack.

    Raises SystemPackagesMissing when this user may not install it, when the distribution is not known,
    or when it is still lacking after the installation. On other systems than Linux there is nothing to do:
    the wheels bring all they need.
    """
    if not sys.platform.startswith("linux"):
        return
    family = this_family()
    sections = read_list((LISTS / f"{family or 'debian'}.txt").read_text(encoding="utf-8"))
    lacking = missing(sections, wanted)
    if not lacking:
        return
    packages = list(dict.fromkeys(need.package for need in lacking))
    if family is None:
        probes = ", ".join(need.probe.partition(":")[2] for need in lacking)
        raise SystemPackagesMissing(
            f"These are missing: {probes}.\n"
            f"This distribution is not known here. On Debian the packages are: {' '.join(packages)}"
        )
    install(family, packages)
    still = [need for need in lacking if not is_present(need.probe)]
    if still:
        probes = ", ".join(f"{need.probe} (package {need.package})" for need in still)
        raise SystemPackagesMissing(f"Installed, yet still missing for {sys.executable}: {probes}")


def this_family() -> str | None:
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            return family_of(path.read_text(encoding="utf-8"))
    return None


def install(family: str, packages: list[str]) -> None:
    """Ask the system's package manager, with renewed package lists when it fails at first."""
    _, command, refresh = FAMILIES[family]
    command = command + packages
    become_root = root_prefix()
    if become_root is None:
        raise SystemPackagesMissing(
            f"These system packages are missing: {' '.join(packages)}\n"
            f"Install them with:\n\n    sudo {shlex.join(command)}\n\nand start this again."
        )
    if shutil.which(command[0]) is None:
        raise SystemPackagesMissing(f"{command[0]} is not on PATH. It was to run: {shlex.join(command)}")
    print(f"Installing system packages: {' '.join(packages)}", flush=True)
    if run_quietly(become_root + command) is None:
        return
    # Package lists are often empty or old on a new machine. A source that fails to answer is no reason
    # to give up: the installation itself decides.
    run_quietly(become_root + refresh)
    output = run_quietly(become_root + command)
    if output is not None:
        raise SystemPackagesMissing(f"{output}\nThe command above failed: {shlex.join(command)}")


def root_prefix() -> list[str] | None:
    """What to put before a command to run it as root; None where this user can't."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return ["sudo"] if sys.stdin.isatty() else None


def run_quietly(command: list[str]) -> str | None:
    """Run a command without questions; its output when it failed, None when it succeeded."""
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
