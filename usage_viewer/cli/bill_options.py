"""Defines the options of the commands that are about the bill."""

import argparse
from collections.abc import Mapping
from typing import Any, Final

from usage_viewer.domain.comparison import Comparison

STATUS_AND_KEY: Final = "The exit status and the key are those of the command table."

_VIEW: Final[Mapping[str, Any]] = {
    "view": None,
    "dataset": "spend",
    "zone": "UTC",
    "per": "total",
    "group_by": "reason",
    "filter": [],
    "sort": "",
    "metrics": "amount",
    "compare": Comparison.NONE.value,
    "include_empty": False,
}
"""The view that these commands load."""

BILL_COMMANDS: Final[Mapping[str, tuple[str, str, Mapping[str, Any]]]] = {
    "reconcile": (
        "compare the bill with the usage",
        "Prints where a billed quantity is not the usage of its day, by UTC day and line item, with the reason. "
        "What was compared, and what can't be, is on standard error.",
        _VIEW,
    ),
    "prices": (
        "list your own prices, with their changes",
        "Prints what each line item cost per million tokens or unit on the final days of the range, by period of "
        "equal price, with what each change has cost since.",
        _VIEW,
    ),
    "lines": (
        "list what each line item means",
        "Prints what each line item of the range is attributed to, and how it is known: by its name, its "
        "quantities or by hand.",
        _VIEW,
    ),
}
"""The commands with their summary, description and view."""


def add_day_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the range."""
    command.add_argument(
        "--from", dest="start", required=True, metavar="DATE", help="first day, in UTC: 2026-10-01"
    )
    command.add_argument("--to", dest="end", required=True, metavar="DATE", help="end day (exclusive), in UTC")
