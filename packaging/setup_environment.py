"""Sets up the virtual environment from the lock files, and installs missing system packages, for `make`.

Needs only the standard library of Python 3.11 or newer, and does nothing if nothing has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    sys.exit(
        f"Usage Viewer needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "Choose another one: make PYTHON=python3.12 …"
    )

import system_packages  # noqa: E402 (an older Python must get the message above, not an error in that module)

# The lock, and the sections of the lists of system packages, that each purpose installs.
PURPOSES: dict[str, tuple[str, list[str]]] = {
    "run": ("runtime", ["python", "run"]),
    "test": ("development", ["python", "run", "test"]),
    "check": ("development", ["python", "run", "check"]),
    "bench": ("bench", ["python", "run", "test"]),
    "lock": ("development", ["python", "run", "check"]),
    "package": ("development", ["python", "run", "test", "package", "bare-debian"]),
}
# The requirement files of each lock. Each lock includes all packages of the locks before it.
LOCKS: dict[str, list[str]] = {
    "runtime": ["runtime.txt", "build.txt"],
    "development": ["development.txt"],
    "bench": ["development.txt", "bench.txt"],
}


class SetupFailed(Exception):
    """Reports that the environment could not be set up; the message names the failed step."""


@dataclass(frozen=True)
class Checkout:
    """Describes a checkout of the repository and its virtual environment."""

    root: Path

    @property
    def environment(self) -> Path:
        """Return the directory of the virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Return the environment's interpreter."""
        return self.environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def requirements(self, lock: str) -> list[Path]:
        """Return the requirement files of a lock."""
        return [self.root / "packaging" / "requirements" / name for name in LOCKS[lock]]

    def stamp(self, lock: str) -> Path:
        """Return the file that stores the fingerprint of the installed lock."""
        return self.environment / f".{lock}-lock"

    def fingerprint(self, lock: str) -> str:
        """Return a digest of everything that determines the environment's content."""
        digest = hashlib.sha256()
        for part in (str(self.root), os.path.realpath(sys.executable), sys.version):
            digest.update(part.encode() + b"\0")
        # pyproject.toml determines the installed command; the runtime lock is part of the other locks.
        own_files = self.requirements(lock) if lock != "runtime" else []
        for path in [self.root / "pyproject.toml", *self.requirements("runtime"), *own_files]:
            digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()

    def is_current(self, lock: str) -> bool:
        """Report whether the environment has exactly the current lock."""
        stamp = self.stamp(lock)
        return (
            self.python.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == self.fingerprint(lock)
        )


def main(arguments: list[str] | None = None) -> int:
    """Set up the environment for the purpose in `arguments`; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=sorted(PURPOSES))
    purpose = parser.parse_args(arguments).purpose
    lock, sections = PURPOSES[purpose]
    try:
        system_packages.ensure(sections)
        checkout = Checkout(Path(__file__).resolve().parent.parent)
        ensure_environment(checkout, lock, relock=purpose == "lock")
    except (system_packages.SystemPackagesMissing, SetupFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def ensure_environment(checkout: Checkout, lock: str, *, relock: bool = False) -> None:
    """Install the lock's packages in the virtual environment, unless they are installed already.

    If the lock or the Python changed, the environment is created again, so that no old package stays. A larger lock
    only adds packages. With `relock`, the lock may lack new requirements of pyproject.toml: the environment is then
    only used to write the lock again, and is not marked as current. Raises SetupFailed.
    """
    if checkout.is_current(lock):
        return
    if can_extend(checkout, lock):
        print(f"Adding the packages of the {lock} lock", flush=True)
    else:
        create_environment(checkout)
        print(f"Installing the packages of the {lock} lock", flush=True)
    files = [word for path in checkout.requirements(lock) for word in ("-r", str(path))]
    # The lock is complete, so there is nothing to resolve. Only wheels are installed, so no package's code runs.
    pip(checkout, "install", "--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps", *files)
    pip(checkout, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(checkout.root))
    if relock:
        return
    pip(checkout, "check")
    run([checkout.python, "-m", "compileall", "-q", checkout.root / "usage_viewer"])
    for included in included_locks(lock):
        checkout.stamp(included).write_text(checkout.fingerprint(included), encoding="utf-8")


def included_locks(lock: str) -> list[str]:
    """Return the locks whose packages are all in `lock`; `lock` itself is the last."""
    names = list(LOCKS)
    return names[: names.index(lock) + 1]


def can_extend(checkout: Checkout, lock: str) -> bool:
    """Report whether all installed locks are current and smaller than `lock`."""
    installed = [name for name in included_locks(lock) if checkout.stamp(name).exists()]
    return bool(installed) and lock not in installed and all(map(checkout.is_current, installed))


def create_environment(checkout: Checkout) -> None:
    """Create an empty virtual environment in place of an existing one. Raises SetupFailed."""
    print(f"Creating the virtual environment in .venv ({sys.version.split()[0]})", flush=True)
    if checkout.environment.exists():
        shutil.rmtree(checkout.environment)
    run([sys.executable, "-m", "venv", checkout.environment])


def pip(checkout: Checkout, *arguments: str) -> None:
    """Run the environment's pip with the user's own configuration of package indexes. Raises SetupFailed."""
    command: list[str | Path] = [checkout.python, "-m", "pip", "--disable-pip-version-check", *arguments]
    run(command, hide=arguments[0] == "check")


def run(command: list[str | Path], hide: bool = False) -> None:
    """Run one step; with `hide`, show its output only if it fails. Raises SetupFailed."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if hide else None,
        stderr=subprocess.STDOUT if hide else None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupFailed(f"{done.stdout or ''}Setting up failed (status {done.returncode}) at: {' '.join(words)}")


if __name__ == "__main__":
    sys.exit(main())
