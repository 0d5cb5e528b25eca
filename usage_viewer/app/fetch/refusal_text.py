"""Reads from a refused request's error which dimension it is about, and from when on it is granted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from usage_viewer.domain.network_errors import RequestRefused

_LIST_OF_GOOD_VALUES = re.compile(
    r"(?:supported|allowed|valid|accepted) values|must be one of|one of:|expected one of|choose from",
    re.IGNORECASE,
)
_UNKNOWN_VALUE = re.compile(r"invalid value|unknown|unrecognized|unexpected value|not a valid", re.IGNORECASE)
_QUOTED = re.compile(r"['\"`](\w+)['\"`]")
_INDEX = re.compile(r"group_by\[(\d+)\]")
_EPOCH = re.compile(r"(?<![\w.])\d{10}(?![\w.]\d|\w)")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?")


@dataclass(frozen=True, slots=True)
class RefusalHint:
    """What an error says: the requested dimensions that it blames, and the moment from which they are granted.

    `unknown`: the server doesn't know the one named dimension at all. `granted_from` is in epoch seconds, None if
    the error names no moment.
    """

    names: tuple[str, ...] = ()
    unknown: bool = False
    granted_from: int | None = None


def is_about_grouping(error: RequestRefused, grouped: Sequence[str] = ()) -> bool:
    """Whether a refused request (HTTP 400, or 422 of a gateway) may mean that a grouping is not granted.

    `grouped` are the dimensions of the request: an error about the range counts if it names one of them.
    """
    if error.status not in (400, 422):
        return False
    if not error.param or error.param.startswith("group_by"):
        return True
    return error.param in ("start_time", "end_time") and bool(_named(error.detail, grouped))


def read_refusal(error: RequestRefused, grouped: Sequence[str]) -> RefusalHint:
    """Return what an error says about a request that was grouped by `grouped`.

    The good values that a message lists beside the refused one are never blamed.
    """
    list_of_good = _LIST_OF_GOOD_VALUES.search(error.detail)
    text = error.detail[: list_of_good.start()] if list_of_good is not None else error.detail
    index = _INDEX.fullmatch(error.param)
    if index is not None and int(index[1]) < len(grouped):
        names: tuple[str, ...] = (grouped[int(index[1])],)
    else:
        names = _named(text, grouped)
    unknown = _UNKNOWN_VALUE.search(text) is not None
    quoted = _QUOTED.search(text)
    if unknown and len(names) > 1 and quoted is not None and quoted[1] in names:
        names = (quoted[1],)  # the others are values to choose from
    unknown = unknown and len(names) == 1
    return RefusalHint(names, unknown, max(_moments(error.detail), default=None))


def _named(text: str, grouped: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in grouped if re.search(rf"\b{re.escape(name)}\b", text))


def _moments(text: str) -> list[int]:
    moments = [int(found) for found in _EPOCH.findall(text)]
    for found in _ISO.findall(text):
        try:
            moment = datetime.fromisoformat(found)
        except ValueError:
            continue
        moments.append(int(moment.replace(tzinfo=UTC).timestamp()))
    return moments
