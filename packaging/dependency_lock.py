"""Writes the lock files in `requirements/` from pyproject.toml, or checks that they were written from it.

uv resolves the locks. The check compares digests alone and needs no network: a lock is outdated only when
pyproject.toml or the lock itself was changed, never when a package index has newer releases.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "packaging" / "requirements"

_AS_DEVELOPMENT = ["--constraint", "packaging/requirements/development.txt"]
# Development is first: the other locks take their versions from it, so each version is chosen only once.
LOCKS: dict[str, list[str]] = {
    "development": ["pyproject.toml", "--group", "build", "--group", "test", "--group", "check"],
    "test": ["pyproject.toml", "--group", "build", "--group", "test", *_AS_DEVELOPMENT],
    "runtime": ["pyproject.toml", *_AS_DEVELOPMENT],
    "build": ["--group", "build", *_AS_DEVELOPMENT],
    "bench": ["--group", "bench", *_AS_DEVELOPMENT],
    "audit": ["--group", "audit"],  # tools with a separate environment
    "package": ["--group", "package", *_AS_DEVELOPMENT],
}
_HEADER = re.compile(
    r"# Written by `make lock` from pyproject.toml; do not edit.\n"
    r"# pyproject: sha256:([0-9a-f]{64})\n# pins: sha256:([0-9a-f]{64})\n"
)


def inputs_digest(project: dict[str, Any]) -> str:
    """Return the SHA-256 (hexadecimal) of the tables of pyproject.toml that determine the locks."""
    inputs = {
        "requires-python": project["project"]["requires-python"],
        "dependencies": project["project"]["dependencies"],
        "groups": project["dependency-groups"],
        "build": project["build-system"]["requires"],
        "uv": project.get("tool", {}).get("uv", {}),
    }
    return _digest(json.dumps(inputs, sort_keys=True))


def with_header(pins: str, digest: str) -> str:
    """Return the text of a lock file; `digest` is that of the inputs."""
    return (
        "# Written by `make lock` from pyproject.toml; do not edit.\n"
        f"# pyproject: sha256:{digest}\n# pins: sha256:{_digest(pins)}\n{pins}"
    )


def find_problems(project: dict[str, Any], texts: dict[str, str]) -> list[str]:
    """Return a sentence for each lock that was not written from this project, or was edited."""
    problems = []
    digest = inputs_digest(project)
    for lock, text in texts.items():
        header = _HEADER.match(text)
        if header is None or header[1] != digest:
            problems.append(f"{lock}.txt was not written from this pyproject.toml.")
        elif header[2] != _digest(text[header.end() :]):
            problems.append(f"{lock}.txt was edited.")
    return problems


def renew(upgrade: bool) -> None:
    """Resolve the locks again and write them. Valid pins are kept; with `upgrade`, the newest releases are used."""
    digest = inputs_digest(read_project())
    for lock, sources in LOCKS.items():
        path = REQUIREMENTS / f"{lock}.txt"
        command = [sys.executable, "-m", "uv", "pip", "compile", *sources, "--quiet"]
        command += ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest"]
        command += ["--generate-hashes", "--no-header", "--no-annotate"]
        command += ["--no-emit-index-url", "--no-emit-find-links"]
        command += ["--upgrade"] if upgrade and lock == "development" else []
        command += ["--output-file", str(path.relative_to(ROOT))]
        subprocess.run(command, cwd=ROOT, check=True)
        path.write_text(with_header(path.read_text(encoding="utf-8"), digest), encoding="utf-8")


def read_project() -> dict[str, Any]:
    """Return the content of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read_locks() -> dict[str, str]:
    """Return the text of each lock file by its name."""
    return {lock: (REQUIREMENTS / f"{lock}.txt").read_text(encoding="utf-8") for lock in LOCKS}


def main(arguments: list[str] | None = None) -> int:
    """Renew the locks if requested, check them, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["renew", "check"])
    parser.add_argument("--upgrade", action="store_true", help="use the newest releases")
    options = parser.parse_args(arguments)
    if options.action == "renew":
        renew(options.upgrade)
    problems = find_problems(read_project(), read_locks())
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print("Run `make lock` and commit packaging/requirements/.", file=sys.stderr)
        return 1
    print("The locks match pyproject.toml.")
    return 0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
