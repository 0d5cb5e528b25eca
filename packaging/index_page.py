"""Completes the metadata of a wheel with the addresses of the repository that publishes it.

The repository's address stands in no file: a release passes it in `USAGE_VIEWER_REPOSITORY`, and a build of a
checkout has no address. An index page can show a picture only by its full address.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "USAGE_VIEWER_REPOSITORY"
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\((?!https?://|#)([^)\s]+)\)")


class IndexPage(MetadataHookInterface):
    """Sets `readme` and `urls` of the project; the build back end calls it."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the two fields. Raises ValueError for an address that is not one of https."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        address = os.environ.get(VARIABLE, "")
        if address:
            metadata["urls"] = project_urls(address)
            text = with_full_addresses(text, address)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def project_urls(address: str) -> dict[str, str]:
    """Return the project's addresses by their names. Raises ValueError for an address that is not one of https."""
    if not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+", address):
        raise ValueError(f"{VARIABLE} is not the address of a repository: {address!r}")
    return {
        "Homepage": address,
        "Source": address,
        "Changelog": f"{address}/blob/main/CHANGELOG.md",
        "Issues": f"{address}/issues",
    }


def with_full_addresses(text: str, address: str) -> str:
    """Return Markdown whose links and pictures that name files of the repository have full addresses."""

    def complete(match: re.Match[str]) -> str:
        picture, label, path = match.groups()
        return f"{picture}[{label}]({address}/{'raw' if picture else 'blob'}/main/{path})"

    return _LINK.sub(complete, text)
