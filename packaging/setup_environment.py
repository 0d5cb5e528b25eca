"""Sets up the virtual environment from the lock files, and installs missing system packages, for `make`.

Needs only the standard library of Python 3.11 or newer, and does nothing if nothing has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    sys.exit(
        f"Usage Viewer needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "Choose another one: make PYTHON=python3.12 …"
    )

# An older Python must get the message above, not an error in these modules.
import system_packages  # noqa: E402
from steps import Report, count_lines, run_step  # noqa: E402

# The lock, and the sections of the lists of system packages, that each purpose installs.
PURPOSES: dict[str, tuple[str, list[str]]] = {
    "run": ("runtime", ["python", "run"]),
    "test": ("test", ["python", "run", "test"]),
    "check": ("development", ["python", "run", "check"]),
    "bench": ("bench", ["python", "run", "test"]),
    "lock": ("development", ["python", "run", "check"]),
    "package": ("test", ["python", "run", "test", "package", "bare-debian"]),
}
# The requirement files of each lock.
LOCKS: dict[str, list[str]] = {
    "runtime": ["runtime.txt", "build.txt"],
    "test": ["test.txt"],
    "development": ["development.txt"],
    "bench": ["test.txt", "bench.txt"],
}
# The locks whose packages are all in another lock.
INCLUDED: dict[str, list[str]] = {
    "runtime": [],
    "test": ["runtime"],
    "development": ["runtime", "test"],
    "bench": ["runtime", "test"],
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
        if system_packages.ensure(sections):
            restart()
        checkout = Checkout(Path(__file__).resolve().parent.parent)
        ensure_environment(checkout, lock, relock=purpose == "lock")
    except (system_packages.SystemPackagesMissing, SetupFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def restart() -> None:
    """Start this script again in place of this process: the packages may have brought another Python."""
    print("Starting the set-up again, as Python may have been upgraded", flush=True)
    os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - the same program, and no shell


def ensure_environment(checkout: Checkout, lock: str, *, relock: bool = False) -> None:
    """Install the lock's packages in the virtual environment, unless they are installed already.

    If a lock or the Python changed, the environment is created again, so that no old package stays. Another lock
    only adds packages. With `relock`, the lock may lack new requirements of pyproject.toml: the environment is then
    only used to write the lock again, and is not marked as current. Raises SetupFailed.
    """
    if checkout.is_current(lock):
        return
    if not can_extend(checkout, lock):
        create_environment(checkout)
    print(f"Installing the packages of the {lock} lock", flush=True)
    files = [word for path in checkout.requirements(lock) for word in ("-r", str(path))]
    # The lock is complete, so there is nothing to resolve. Only wheels are installed, so no package's code runs.
    pip(checkout, "install", "--require-hashes", "--only-binary=:all:", "--no-deps", *files)
    print("Installing the program", flush=True)
    pip(checkout, "install", "--no-deps", "--no-build-isolation", "--editable", str(checkout.root))
    if relock:
        return
    pip(checkout, "check")
    run([checkout.python, "-m", "compileall", "-q", checkout.root / "usage_viewer"])
    for included in (*INCLUDED[lock], lock):
        checkout.stamp(included).write_text(checkout.fingerprint(included), encoding="utf-8")


def can_extend(checkout: Checkout, lock: str) -> bool:
    """Report whether locks are installed, all of them are current, and `lock` is not one of them."""
    installed = [name for name in LOCKS if checkout.stamp(name).exists()]
    return bool(installed) and lock not in installed and all(map(checkout.is_current, installed))


def create_environment(checkout: Checkout) -> None:
    """Create an empty virtual environment in place of an existing one. Raises SetupFailed."""
    print(f"Creating the virtual environment in .venv ({sys.version.split()[0]})", flush=True)
    if checkout.environment.exists():
        shutil.rmtree(checkout.environment)
    run([sys.executable, "-m", "venv", checkout.environment])


def pip(checkout: Checkout, *arguments: str) -> None:
    """Run the environment's pip with the user's own configuration of package indexes. Raises SetupFailed."""
    run([checkout.python, "-m", "pip", "--disable-pip-version-check", *arguments])


def run(command: list[str | Path]) -> None:
    """Run one step, print how far it is, and print its output if it fails. Raises SetupFailed."""
    status, output = run_step(command, report_pip())
    if status:
        words = " ".join(map(str, command))
        raise SetupFailed(f"{output}Setting up failed (status {status}) at: {words}")


def report_pip() -> Report:
    """Return a report of pip's output: how many packages have arrived, and the start of the installation."""
    count = count_lines(("Collecting ", "Requirement already satisfied"), "packages found")
    return lambda line: "writing the files" if line.startswith("Installing collected") else count(line)


if __name__ == "__main__":
    sys.exit(main())
