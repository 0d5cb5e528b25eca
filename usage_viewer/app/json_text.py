"""Parses JSON from files that may have been damaged."""

import json
from typing import Any


def parse_json(content: bytes) -> Any:
    """Return the value of a JSON text; half of a surrogate pair, which no window can show, becomes a question mark.

    Raises ValueError, RecursionError.
    """
    return json.loads(json.dumps(json.loads(content), ensure_ascii=False).encode("utf-8", "replace"))
