"""The targets `audit` and `sbom` use the lock file; only their commands are checked, as they need the internet."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def planned(target: str, *more: str) -> str:
    """Return the commands of a target without running them."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    done = subprocess.run(
        ["make", "--dry-run", target, *more], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_audit_checks_exactly_the_locked_packages() -> None:
    (command,) = [line for line in planned("audit").splitlines() if "pip-audit" in line]
    assert "--require-hashes" in command
    assert "--strict" in command
    assert command.endswith("--requirement packaging/requirements/runtime.txt")


def test_audit_tools_are_locked_with_hashes() -> None:
    assert "--require-hashes --requirement packaging/requirements/audit.txt" in planned("audit", "--always-make")


def test_sbom_is_that_of_the_package_and_checked() -> None:
    commands = planned("sbom")
    assert "packaging/build_package.py" in commands
    assert "build/audit/bin/python packaging/check_sbom.py build/packages/*.cdx.json" in commands
