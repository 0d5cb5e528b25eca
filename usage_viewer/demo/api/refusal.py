"""The error responses of the API."""

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

BESIDE = "*"
"""Stands for any other dimension in the text of a rule."""

_RULE = re.compile(r"(?:(?P<dataset>\w+):)?(?P<names>\w+(?:\+\w+)*)(?P<beside>\+\*)?(?:<(?P<before>\S+))?")


@dataclass(frozen=True)
class GroupingRule:
    """Refuses requests that are grouped by all of `dimensions`, of one dataset ("": of every one).

    `beside`: only if they are grouped by another dimension too. `before`: only if they begin before that moment
    (epoch seconds). `message` replaces the usual one, which names the dimensions and the moment.
    """

    dimensions: frozenset[str]
    dataset: str = ""
    beside: bool = False
    before: int | None = None
    message: str = ""

    @classmethod
    def parse(cls, text: str) -> "GroupingRule":
        """Read a rule like `costs:user_id+*`, `user_id+project_id` or `costs:api_key_id<2025-12-06`.

        Raises ValueError.
        """
        found = _RULE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text} is not DATASET:NAME+NAME<DAY")
        day = found["before"]
        before = None if day is None else int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
        names = frozenset(found["names"].split("+"))
        return cls(names, found["dataset"] or "", found["beside"] is not None, before)

    def refuses(self, dataset: str, group_by: Collection[str], start: int) -> bool:
        """Report whether a request that begins at `start` (epoch seconds) is refused."""
        grouped = set(group_by)
        return (
            self.dataset in ("", dataset)
            and self.dimensions <= grouped
            and (not self.beside or grouped != self.dimensions)
            and (self.before is None or start < self.before)
        )

    def refusal(self) -> "Refusal":
        """Return the error response."""
        names = ", ".join(sorted(self.dimensions))
        if self.message:
            return bad_parameter("group_by", self.message, "unsupported_grouping")
        if self.before is not None:
            text = f"group_by={names} is not available for this time range."
            return bad_parameter("start_time", f"{text} Try a start_time on or after {self.before}.")
        others = " with other dimensions" if self.beside else ""
        return bad_parameter("group_by", f"Grouping by {names}{others} is not supported.", "unsupported_grouping")


@dataclass(frozen=True)
class RefusedGroupings:
    """The groupings that the server refuses with HTTP 400: single dimensions as unknown, others by rules."""

    dimensions: frozenset[str] = frozenset()
    rules: tuple[GroupingRule, ...] = ()

    @classmethod
    def of(
        cls, *dimensions: str, pairs: Iterable[Iterable[str]] = (), rules: Iterable[GroupingRule | str] = ()
    ) -> "RefusedGroupings":
        """Return the record for dimensions, pairs of dimensions in costs, and rules (or their texts)."""
        given = [GroupingRule(frozenset(pair), "costs") for pair in pairs]
        given += [GroupingRule.parse(rule) if isinstance(rule, str) else rule for rule in rules]
        return cls(frozenset(dimensions), tuple(given))


NOTHING_REFUSED = RefusedGroupings()


class Refusal(Exception):
    """An error response with an HTTP status and the body `{"error": {"message", "type", "param", "code"}}`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code}

    @property
    def body(self) -> bytes:
        """The body of the response, as JSON."""
        return json.dumps({"error": self.error}).encode()


def bad_parameter(param: str, message: str, code: str = "invalid_value") -> Refusal:
    """Return an HTTP 400 that names the invalid parameter."""
    return Refusal(400, message, param=param, code=code)
