"""Searches everything that the program wrote, showed or passed on for marked keys."""

import base64
import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import numpy as np

MARK: Final = "sk-admin-Zq7mW2xV9tLr4KpN8sBd3FhJ6gTyR5cEuA1oQv0iXwMzPqLk"
OTHER: Final = "sk-admin-Hf4kUjY8bNc2WsXz9QeR6tGvD1mLpO3aIiSdBq7VxTnEwZrJ"
"""A key that the server refuses."""

PART: Final = 8
PUBLIC: Final = "sk-admin-"
MOST_DECODED: Final = 1_000_000
"""Bytes; a larger text is searched as it is, not also without line breaks and escapes."""


@dataclass
class Search:
    """Finds keys and their parts of 8 characters or more: wrapped, escaped, in UTF-16, hexadecimal and base64."""

    keys: tuple[str, ...] = (MARK, OTHER)
    seen: int = 0
    hits: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = {key[at : at + PART] for key in self.keys for at in range(len(key) - PART + 1)}
        parts = {part for part in parts if part not in PUBLIC}
        self._parts = {form for part in parts for form in (part.encode(), part.encode("utf-16-le"))}
        self._parts |= {part.encode().hex().encode() for part in parts}
        for key in self.keys:
            for shift in range(3):  # base64 of the key within a longer text, at any of the three alignments
                self._parts.add(base64.b64encode(key.encode()[shift:])[4:40])
        self._parts |= {part.lower() for part in self._parts}
        self._beginnings = np.zeros((PART // 2, 2**16), bool)
        """For each two bytes of the first 8: whether a part has them there."""
        for part in self._parts:
            self._beginnings[range(PART // 2), np.frombuffer(part[:PART], ">u2")] = True

    def text(self, name: str, content: bytes | str) -> None:
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        self.seen += len(data)
        views = {data, data.lower()}
        if len(data) < MOST_DECODED:
            joined = re.sub(rb"\\n|\s", b"", data)
            decoded = html.unescape(unquote(joined.decode("latin-1"), "latin-1")).encode("utf-8")
            views |= {joined, joined.lower(), decoded, decoded.lower()}
        self.hits += [
            f"{part!r} in {name}"
            for view in filter(self._may_have_part, views)
            for part in self._parts
            if part in view
        ]

    def _may_have_part(self, view: bytes) -> bool:
        """Return False only if no part is in the text: no eight bytes have the pairs that begin a part.

        Looking for each of some 600 parts takes 20 times longer.
        """
        values = np.frombuffer(view, np.uint8).astype(np.uint16)
        pairs = values[:-1] << 8 | values[1:]
        at = np.arange(max(0, len(values) - PART + 1))
        for number, known in enumerate(self._beginnings):
            at = at[known[pairs[at + 2 * number]]]
        return len(at) > 0

    def files(self, *directories: Path) -> None:
        for directory in directories:
            for path in directory.rglob("*"):
                self.text("a file's name", str(path))
                if path.is_file():
                    self.text(str(path), path.read_bytes())

    def process(self, pid: int, *, environment: bool) -> None:
        """Search the command lines of a process and its children, and the environments of the children.

        `environment`: also the environment of the process.
        """
        for child in descendants(pid):
            self.text(f"command line of {child}", Path(f"/proc/{child}/cmdline").read_bytes())
            if environment or child != pid:
                self.text(f"environment of {child}", Path(f"/proc/{child}/environ").read_bytes())

    def check(self) -> None:
        assert not self.hits, "\n".join(self.hits[:20])
        assert self.seen > 1000, "nothing was searched"


def descendants(pid: int) -> list[int]:
    """Return the process, its children, and theirs."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [pid, *(one for child in children for one in descendants(child))]
