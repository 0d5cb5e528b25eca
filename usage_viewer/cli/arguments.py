"""Defines the command-line options, and converts the options of `table` to a view."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from usage_viewer import __version__
from usage_viewer.cli.bill_options import BILL_COMMANDS, STATUS_AND_KEY, add_day_options
from usage_viewer.cli.loading_options import add_loading_options, add_name_options
from usage_viewer.cli.picture_options import add_picture_options
from usage_viewer.cli.pivot_options import add_pivot_options
from usage_viewer.cli.saved_view_option import add_saved_view_option
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.comparison import Comparison
from usage_viewer.domain.dataset import EXTRA
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.view_parts import PERIOD

FORMATS = ("tsv", "csv", "semicolon-csv", "json", "markdown", "xlsx")


class Parser(argparse.ArgumentParser):
    """Parses arguments; reports invalid ones as InputError, so that one place formats all errors.

    `--sort -input_tokens` is read as `--sort=-input_tokens`: argparse alone would take the value for an option.
    """

    def parse_known_args(  # type: ignore[override] # the namespace is always a plain one
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse `args` (default: those of the process). Raises InputError."""
        return super().parse_known_args(_join_sort_value(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        """Raise InputError in place of argparse's exit."""
        raise InputError(message, title="The command is invalid", hint=self.format_usage().strip())


def _join_sort_value(args: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for argument in args:
        if joined and joined[-1] == "--sort" and argument[:1] == "-" and argument[:2] != "--":
            joined[-1] = f"--sort={argument}"
        else:
            joined.append(argument)
    return joined


def build_parser() -> Parser:
    """Return the parser of `usage-viewer` and its commands."""
    top = Parser(
        prog="usage-viewer",
        description="Shows an organization's OpenAI usage: filter, group, sort and copy it. Without a command, "
        "usage-viewer opens a window.",
    )
    top.add_argument("--version", action="version", version=f"Usage Viewer {__version__}")
    _add_common_options(top)
    top.add_argument(
        "--snapshot",
        type=_path,
        metavar="FILE.png",
        help="save a picture of the window to this file when the window is loaded, then exit",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    table = commands.add_parser(
        "table",
        help="print a table instead of opening the window",
        description="Prints usage as a table. Exit status 0 only if the range is complete; 3 if data is missing (a "
        "message on standard error lists it); 2 for invalid arguments or a key of another server; 1 for any other "
        "error. The key is read from the keyring, or from OPENAI_ADMIN_KEY; OPENAI_BASE_URL names another server.",
    )
    _add_common_options(table, is_command=True)
    _add_range_options(table)
    _add_content_options(table)
    add_pivot_options(table)
    _add_output_options(table)
    add_loading_options(table)
    _add_chart_command(commands)
    _add_bill_commands(commands)
    views = commands.add_parser(
        "views",
        help="list the saved views",
        description="Lists the views that the window has saved, one a line: name, dataset and range, separated by "
        "tabs. Use a name with --view in the other commands.",
    )
    _add_common_options(views, is_command=True)
    forget = commands.add_parser(
        "forget",
        help="remove the key from the keyring, or delete all stored data",
        description="Removes the organization's key from the keyring. With --all, removes every key and deletes "
        "all usage, names and settings. Asks for confirmation first. Exit status 0 if done; 3 if not confirmed; 2 "
        "for invalid arguments; 1 for any other error.",
    )
    _add_common_options(forget, is_command=True)
    forget.add_argument(
        "--all",
        action="store_true",
        help="remove the keys of all organizations, and delete all usage, names and settings",
    )
    forget.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return top


def _add_chart_command(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command `chart`, which has the options of `table` but for the format."""
    chart = commands.add_parser(
        "chart",
        help="draw a chart into a file instead of opening the window",
        description="Draws usage as stacked bars over time, or as a heat map of weekdays and hours. Needs no "
        "display. The exit status and the key are those of the command table.",
    )
    _add_common_options(chart, is_command=True)
    _add_range_options(chart)
    _add_content_options(chart)
    add_name_options(chart)
    add_picture_options(chart, _path)
    add_loading_options(chart)


def _add_bill_commands(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the commands that are about the bill, which have the formats of `table`."""
    for name, (summary, description, defaults) in BILL_COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{description} {STATUS_AND_KEY}")
        _add_common_options(command, is_command=True)
        add_day_options(command)
        _add_output_options(command)
        add_loading_options(command)
        command.set_defaults(**defaults)


def _path(text: str) -> Path:
    """Return a path from an argument; an empty one would be the current directory."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError("the path is empty" if not text else "a path has no null characters")
    return Path(text)


def _add_common_options(target: argparse.ArgumentParser, *, is_command: bool = False) -> None:
    """Add the options that are allowed before and after the command.

    After the command, a missing option must not overwrite the value given before it, so it has no default there.
    """
    default = argparse.SUPPRESS if is_command else None
    target.add_argument(
        "--demo",
        action="store_true",
        default=default or False,
        help="open a sample organization; no key needed, nothing is stored",
    )
    target.add_argument(
        "--truth",
        type=_path,
        metavar="FILE",
        default=default,
        help="with --demo: write what each part of the sample bill cost until today, as lines of JSON",
    )
    target.add_argument(
        "--open",
        type=_path,
        metavar="FILE",
        default=default,
        help="open a saved snapshot (.zip or folder); no key needed, nothing is loaded from the server",
    )
    target.add_argument(
        "--base-url",
        metavar="URL",
        default=default,
        help="use another server: an https address, or any address of this computer",
    )
    target.add_argument(
        "--ca-file",
        type=_path,
        metavar="FILE.pem",
        default=default,
        help="trust the certificates in this file, in addition to those of the system",
    )
    target.add_argument(
        "--profile",
        metavar="NAME",
        default=default,
        help="the organization, by its name or id; each has its own key and data (default: for the window the "
        "organization that was open last, otherwise the one with the id default)",
    )
    target.add_argument(
        "--data-dir",
        type=_path,
        metavar="DIR",
        default=default,
        help="directory of data and settings (default: the system's usual place)",
    )
    target.add_argument(
        "--verbose",
        action="store_true",
        default=default or False,
        help="write a log to standard error; keys are masked",
    )


def _add_range_options(table: argparse.ArgumentParser) -> None:
    """Add the options that choose the dataset, the range and the periods.

    They have no default here, so that those given beside `--view` can be refused; see `saved_view_option`.
    """
    add_saved_view_option(table)
    table.add_argument(
        "--dataset",
        metavar="NAME",
        help=f"one of {', '.join(DATASETS)} (default: completions)",
    )
    table.add_argument(
        "--from",
        dest="start",
        metavar="DATE",
        help="first day, or start time, in the zone: 2026-10-01 or 2026-10-01T14:00; required without --view",
    )
    table.add_argument(
        "--to",
        dest="end",
        metavar="DATE",
        help="end day or time (exclusive), in the zone; required without --view",
    )
    table.add_argument(
        "--zone",
        metavar="ZONE",
        help="time zone of days, weeks and months: UTC, local or a name like Europe/Berlin (default: UTC)",
    )
    table.add_argument(
        "--per",
        metavar="PERIOD",
        help="one row for each minute, hour, day, week or month; or total, the whole range (default: total)",
    )


def _add_content_options(table: argparse.ArgumentParser) -> None:
    """Add the options that choose the rows, the columns and their order."""
    table.add_argument(
        "--group-by",
        metavar="A,B",
        help="dimensions to group by, such as model,project_id, in the order of the columns (default: none); "
        f"{EXTRA}NAME is a field that this version doesn't know",
    )
    table.add_argument(
        "--filter",
        action="append",
        metavar="NAME=VALUE",
        help="keep only rows with this value (an id) of a dimension; repeat for more values; NAME!=VALUE excludes "
        "a value; NAME= stands for no value",
    )
    table.add_argument(
        "--sort",
        metavar="A,-B",
        help=f"columns to sort by, such as -input_tokens,model; - sorts descending; {PERIOD} is the time",
    )
    table.add_argument(
        "--metrics",
        metavar="A,B|all",
        help="figures to show (default: the most useful ones); "
        f"{EXTRA}NAME is a field that this version doesn't know",
    )
    table.add_argument(
        "--compare",
        choices=tuple(Comparison),
        metavar="PERIOD",
        help="add the figures of another period and the changes since: previous (the period before), month (the "
        "same days last month), year, or weekday (364 days earlier); the largest change comes first",
    )
    table.add_argument(
        "--include-empty",
        action="store_true",
        default=None,
        help="include idle periods and, with --names, keys, people and projects without usage",
    )


def _add_output_options(table: argparse.ArgumentParser) -> None:
    """Add the options that choose names, the format and the file."""
    add_name_options(table)
    table.add_argument(
        "--format",
        choices=FORMATS,
        default="tsv",
        metavar="FORMAT",
        help=f"{_join_alternatives(FORMATS)} (default: tsv); json has ids, exact numbers, and null for no value; "
        "semicolon-csv has decimal commas; xlsx is an Excel workbook with totals and needs --output or a pipe",
    )
    table.add_argument(
        "--output", type=_path, metavar="FILE", help="write the table to this file, whole or not at all"
    )


def _join_alternatives(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
