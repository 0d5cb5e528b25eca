"""Set up what `make` needs: the virtual environment from the lock, and the system packages that are missing.

Runs on any Python 3.11 or newer with its standard library alone, and does nothing when nothing changed.
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
        "Name another one: make PYTHON=python3.12 …"
    )

import system_packages  # noqa: E402 (an older Python is to be told above, not to fail in there)

# What each purpose installs: the lock, and the sections of the lists of system packages.
PURPOSES: dict[str, tuple[str, list[str]]] = {
    "run": ("runtime", ["python", "run"]),
    "test": ("development", ["python", "run", "test"]),
    "check": ("development", ["python", "run", "check"]),
    "bench": ("bench", ["python", "run", "test"]),
    "lock": ("development", ["python", "run", "check"]),
}
# Each holds all of those before it.
LOCKS: dict[str, list[str]] = {
    "runtime": ["runtime.txt", "build.txt"],
    "development": ["development.txt"],
    "bench": ["development.txt", "bench.txt"],
}


class SetupFailed(Exception):
    """The environment could not be set up; the message says at which step."""


@dataclass(frozen=True)
class Checkout:
    """A checkout and the virtual environment in it."""

    root: Path

    @property
    def environment(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def requirements(self, lock: str) -> list[Path]:
        return [self.root / "packaging" / "requirements" / name for name in LOCKS[lock]]

    def stamp(self, lock: str) -> Path:
        """The file that holds the fingerprint of what was installed."""
        return self.environment / f".{lock}-lock"

    def fingerprint(self, lock: str) -> str:
        """A digest of all that the environment's contents follow from."""
        digest = hashlib.sha256()
        for part in (str(self.root), os.path.realpath(sys.executable), sys.version):
            digest.update(part.encode() + b"\0")
        # The metadata decides over the installed command; the runtime lock is a part of the others.
        added = self.requirements(lock) if lock != "runtime" else []
        for path in [self.root / "pyproject.toml", *self.requirements("runtime"), *added]:
            digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()

    def is_current(self, lock: str) -> bool:
        stamp = self.stamp(lock)
        return (
            self.python.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == self.fingerprint(lock)
        )


def main(arguments: list[str] | None = None) -> int:
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
    """Bring the virtual environment to the lock, unless it is there already.

    A changed lock or Python begins it anew, so that nothing of the former one stays; going from one lock to a
    further one only adds to it. With `relock` the lock may lack what pyproject.toml asks for by now: the
    environment is good for writing the lock anew and for nothing else.
    """
    if checkout.is_current(lock):
        return
    if may_grow(checkout, lock):
        print(f"Adding the packages of the {lock} lock", flush=True)
    else:
        create_environment(checkout)
        print(f"Installing the packages of the {lock} lock", flush=True)
    files = [word for path in checkout.requirements(lock) for word in ("-r", str(path))]
    # The lock is complete, so nothing is left to resolve; wheels alone, so no foreign code runs here.
    pip(checkout, "install", "--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps", *files)
    pip(checkout, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(checkout.root))
    if relock:
        return
    pip(checkout, "check")
    run([checkout.python, "-m", "compileall", "-q", checkout.root / "usage_viewer"])
    for done in up_to(lock):
        checkout.stamp(done).write_text(checkout.fingerprint(done), encoding="utf-8")


def up_to(lock: str) -> list[str]:
    """The locks whose packages are all in `lock`, itself last."""
    names = list(LOCKS)
    return names[: names.index(lock) + 1]


def may_grow(checkout: Checkout, lock: str) -> bool:
    """Whether what was installed is all of it current, and less than `lock`."""
    installed = [name for name in up_to(lock) if checkout.stamp(name).exists()]
    return bool(installed) and lock not in installed and all(map(checkout.is_current, installed))


def create_environment(checkout: Checkout) -> None:
    print(f"Making the virtual environment in .venv ({sys.version.split()[0]})", flush=True)
    if checkout.environment.exists():
        shutil.rmtree(checkout.environment)
    run([sys.executable, "-m", "venv", checkout.environment])


def pip(checkout: Checkout, *arguments: str) -> None:
    """Run the environment's pip; where it gets packages from is left to its own configuration."""
    command: list[str | Path] = [checkout.python, "-m", "pip", "--disable-pip-version-check", *arguments]
    run(command, hide=arguments[0] == "check")


def run(command: list[str | Path], hide: bool = False) -> None:
    """Run one step; what it prints is shown, or with `hide` only when it fails."""
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
