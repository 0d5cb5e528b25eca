"""Writes the cask with which Homebrew installs one release, to build/packages/usage-viewer.rb."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = ROOT / "build" / "packages" / "usage-viewer.rb"
CASK = """\
cask "usage-viewer" do
  version "{version}"
  sha256 "{digest}"

  url "{address}"
  name "Usage Viewer"
  desc "See, filter, regroup and copy an organization's API usage and costs"
  homepage "{home}"

  app "Usage Viewer.app"
  binary "#{{appdir}}/Usage Viewer.app/Contents/MacOS/usage-viewer"

  zap trash: "~/Library/Application Support/usage-viewer"
end
"""


def main(arguments: list[str]) -> int:
    """Write the cask for VERSION, ADDRESS (of the disk image), IMAGE (its file) and HOME (of the project)."""
    version, address, image, home = arguments
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(cask(version, address, Path(image), home), encoding="utf-8")
    return 0


def cask(version: str, address: str, image: Path, home: str) -> str:
    """Return the text of the cask. Raises ValueError for an address that is not one of https."""
    for one in (address, home):
        if not one.startswith("https://") or '"' in one or "#{" in one:
            raise ValueError(f"not an address of https: {one!r}")
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    return CASK.format(version=version, digest=digest, address=address, home=home)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
