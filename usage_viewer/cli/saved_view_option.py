"""Defines `--view`, which shows a saved view, and the defaults of the options that describe a view without it."""

import argparse
from collections.abc import Mapping

from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.errors import InputError

_RANGE: Mapping[str, str] = {"start": "--from", "end": "--to"}

_DEFAULTS: Mapping[str, object] = {
    "dataset": "completions",
    "zone": "UTC",
    "per": "total",
    "group_by": "",
    "filter": (),
    "sort": "",
    "metrics": "",
    "compare": Comparison.NONE.value,
    "include_empty": False,
}
"""Values of the options of a view that are not given."""

_PIVOT: Mapping[str, object] = {"columns_by": "", "figure": ""}
"""Those of a command that has `--columns-by`; the figure of any other command is that of a chart."""


def add_saved_view_option(table: argparse.ArgumentParser) -> None:
    """Add the option that shows a saved view."""
    table.add_argument(
        "--view",
        metavar="NAME",
        help="show a view that the window has saved, by its name, in place of the options for dataset, range, "
        "period, zone, grouping, filters, order, figures and comparison",
    )


def given_view_options(arguments: argparse.Namespace) -> list[str]:
    """Return the options of a view that are given, as they are written, except `--view`."""
    given = [name for name in (*_RANGE, *_defaults(arguments)) if getattr(arguments, name) is not None]
    return [_RANGE.get(name, f"--{name.replace('_', '-')}") for name in given]


def with_defaults(arguments: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments with the default of each option of a view that is not given.

    Raises InputError without a range.
    """
    missing = [option for name, option in _RANGE.items() if getattr(arguments, name) is None]
    if missing:
        raise InputError(
            f"the following arguments are required: {', '.join(missing)}",
            title="The command is invalid",
            hint="Give a range with --from and --to, or name a saved view with --view.",
        )
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    return argparse.Namespace(**{**_defaults(arguments), **given})


def _defaults(arguments: argparse.Namespace) -> Mapping[str, object]:
    return {**_DEFAULTS, **_PIVOT} if hasattr(arguments, "columns_by") else _DEFAULTS
