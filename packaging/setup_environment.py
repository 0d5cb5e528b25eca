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
from pathlib import Path

OLDEST_PYTHON = (3, 11)
if sys.version_info < OLDEST_PYTHON:
    sys.exit(
        f"Usage Viewer needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.\n"
        "Name another one: make PYTHON=python3.12 …"
    )

import system_packages  # noqa: E402 (an older Python is to be told above, not to fail in there)

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"
ENVIRONMENT = ROOT / ".venv"

# What each purpose installs: the lock, and the sections of the lists of system packages.
PURPOSES: dict[str, tuple[str, list[str]]] = {
    "run": ("runtime", ["python", "run"]),
    "test": ("development", ["python", "run", "test"]),
    "check": ("development", ["python", "run", "check"]),
}
LOCKS: dict[str, list[str]] = {
    "runtime": ["runtime.txt", "build.txt"],
    "development": ["development.txt"],
}


class SetupFailed(Exception):
    """The environment could not be set up; the message says at which step."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=sorted(PURPOSES))
    purpose = parser.parse_args(arguments).purpose
    lock, sections = PURPOSES[purpose]
    try:
        system_packages.ensure(sections)
        ensure_environment(lock)
    except (system_packages.SystemPackagesMissing, SetupFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def ensure_environment(lock: str) -> None:
    """Bring the virtual environment to the lock, unless it is there already.

    A changed lock or Python begins it anew, so that nothing of the former one stays; going from the runtime
    lock to the development one only adds to it.
    """
    if is_current(lock):
        return
    if not is_current("runtime"):
        create_environment()
    print(f"Installing the packages of the {lock} lock", flush=True)
    files = [word for name in LOCKS[lock] for word in ("-r", str(REQUIREMENTS / name))]
    # The lock is complete, so nothing is left to resolve; wheels alone, so no foreign code runs here.
    pip("install", "--require-hashes", "--only-binary=:all:", "--no-deps", *files)
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    pip("check")
    run([environment_python(), "-m", "compileall", "-q", str(ROOT / "usage_viewer")])
    stamp(lock).write_text(fingerprint(lock), encoding="utf-8")
    if lock == "development":
        stamp("runtime").write_text(fingerprint("runtime"), encoding="utf-8")


def is_current(lock: str) -> bool:
    path = stamp(lock)
    return (
        path.is_file() and environment_python().exists() and path.read_text(encoding="utf-8") == fingerprint(lock)
    )


def stamp(lock: str) -> Path:
    return ENVIRONMENT / f".{lock}-lock"


def fingerprint(lock: str) -> str:
    """A digest of all that the environment's contents follow from."""
    digest = hashlib.sha256()
    for part in (str(ROOT), os.path.realpath(sys.executable), sys.version):
        digest.update(part.encode() + b"\0")
    # The project's metadata decides over the installed command; both locks, so that neither stays behind.
    names = LOCKS["runtime"] + (LOCKS["development"] if lock == "development" else [])
    for path in [ROOT / "pyproject.toml", *(REQUIREMENTS / name for name in names)]:
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def create_environment() -> None:
    print(f"Making the virtual environment in {ENVIRONMENT.name} ({sys.version.split()[0]})", flush=True)
    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)
    run([sys.executable, "-m", "venv", str(ENVIRONMENT)])


def environment_python() -> Path:
    if os.name == "nt":
        return ENVIRONMENT / "Scripts" / "python.exe"
    return ENVIRONMENT / "bin" / "python"


def pip(*arguments: str) -> None:
    """Run the environment's pip; where it gets packages from is left to its own configuration."""
    quiet = [] if arguments[0] == "check" else ["--quiet"]
    command: list[str | Path] = [
        environment_python(),
        "-m",
        "pip",
        "--disable-pip-version-check",
        *arguments,
        *quiet,
    ]
    run(command, hide=arguments[0] == "check")


def run(command: list[str | Path], hide: bool = False) -> None:
    words = [str(word) for word in command]
    output = subprocess.PIPE if hide else None
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if hide else None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SetupFailed(f"{done.stdout or ''}Setting up failed (status {done.returncode}) at: {' '.join(words)}")


if __name__ == "__main__":
    sys.exit(main())
