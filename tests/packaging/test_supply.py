"""The targets `audit` and `sbom` use the lock file; only their commands are checked, as they need the internet."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "packaging/requirements/runtime.txt"


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


def test_sbom_lists_exactly_the_locked_packages(tmp_path: Path) -> None:
    tool = ROOT / "build/audit/bin/cyclonedx-py"
    (command,) = [line for line in planned("sbom").replace("\\\n", "").splitlines() if "cyclonedx-py" in line]
    assert "packaging/requirements/runtime.txt --pyproject pyproject.toml" in command
    if not tool.exists():
        pytest.skip("cyclonedx-py is not installed: `make sbom` installs it")
    written = tmp_path / "sbom.json"
    words = command.replace("build/usage-viewer.cdx.json", str(written)).split()
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    sbom = json.loads(written.read_text(encoding="utf-8"))
    assert sbom["bomFormat"] == "CycloneDX"
    components = {(part["name"], part["version"]) for part in sbom["components"]}
    pinned = re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert components == set(pinned)
    assert all(part["externalReferences"][0]["hashes"] for part in sbom["components"])
