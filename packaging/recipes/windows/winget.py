"""Writes the three manifests that winget needs for one release, to build/packages/winget."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = ROOT / "build" / "packages" / "winget"
ID = "UsageViewer.UsageViewer"
SCHEMA = "1.6.0"


def main(arguments: list[str]) -> int:
    """Write the manifests for VERSION, ADDRESS (of the installer, https) and INSTALLER (its file)."""
    version, address, installer = arguments
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in manifests(version, address, Path(installer)).items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


def manifests(version: str, address: str, installer: Path) -> dict[str, str]:
    """Return the texts of the manifests by file name. Raises ValueError for an address that is not one of https."""
    if not address.startswith("https://"):
        raise ValueError(f"not an address of https: {address!r}")
    digest = hashlib.sha256(installer.read_bytes()).hexdigest().upper()
    head = f"PackageIdentifier: {ID}\nPackageVersion: {version}\n"
    return {
        f"{ID}.yaml": f"{head}DefaultLocale: en-US\n{_tail('version')}",
        f"{ID}.installer.yaml": (
            f"{head}InstallerType: nullsoft\nScope: user\nUpgradeBehavior: install\n"
            f"Installers:\n- Architecture: x64\n  InstallerUrl: {address}\n  InstallerSha256: {digest}\n"
            f"{_tail('installer')}"
        ),
        f"{ID}.locale.en-US.yaml": (
            f"{head}PackageLocale: en-US\nPublisher: Usage Viewer contributors\nPackageName: Usage Viewer\n"
            "License: MIT\nShortDescription: See, filter, regroup and copy your organization's API usage\n"
            f"{_tail('defaultLocale')}"
        ),
    }


def _tail(kind: str) -> str:
    return f"ManifestType: {kind}\nManifestVersion: {SCHEMA}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
