"""Limits how deep the JSON of a response may be nested, equally on every version of Python.

The decoder has no limit of its own: it stops where the interpreter's stack ends, at 1,000 levels on Python 3.11 and
at 10,000 or more on later versions.
"""

import re
from typing import Final

import numpy as np

from usage_viewer.domain.network_errors import WrongShape

MAX_NESTING: Final = 100
"""Levels of lists and objects inside each other. The API's own pages have 6, with an amount of costs."""

_IRRELEVANT: Final = bytes(set(range(256)) - set(b'"[]{}'))
_STRING: Final = re.compile(rb'"[^"]*"?')


def check_nesting(text: bytes, path: str = "", outer: int = 0) -> None:
    """Check a JSON text, valid or not, before a decoder reads it; brackets inside strings don't count.

    `outer` is the number of levels around the text. This takes about as long as the decoder, 2 ns for each byte.
    Raises WrongShape with `path` if more than `MAX_NESTING` lists and objects are open at once.
    """
    limit = MAX_NESTING - outer
    if text.count(b"[") + text.count(b"{") <= limit:
        return
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = _STRING.sub(b"", text.translate(None, _IRRELEVANT).replace(b'""', b""))
    # The bit 2 is set in the codes of "[" and "{" and not in those of "]" and "}".
    steps = (np.frombuffer(brackets, dtype=np.int8) & 2) - 1
    if steps.size and int(np.cumsum(steps, dtype=np.int64).max()) > limit:
        raise WrongShape("the JSON is nested too deeply", path=path)
