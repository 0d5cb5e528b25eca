"""What the command line accepts, and the view that a `table` command asks for."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from usage_viewer import __version__
from usage_viewer.cli.parsing import Parser
from usage_viewer.domain.catalog import DATASETS, Dataset
from usage_viewer.domain.dataset import EXTRA
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import PERIOD, Filter, SortKey, Value, ViewState
from usage_viewer.domain.zones import zone_of

FORMATS = ("tsv", "csv", "json", "markdown")

FIRST_YEAR, LAST_YEAR = 1971, 2199


def parser() -> Parser:
    top = Parser(
        prog="usage-viewer",
        description="See, filter, regroup, sort and copy an organization's OpenAI usage. Without a command, a "
        "window opens.",
    )
    top.add_argument("--version", action="version", version=f"Usage Viewer {__version__}")
    _add_common(top)
    top.add_argument(
        "--snapshot", type=Path, metavar="FILE.png", help="draw the loaded window to a picture, then end"
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    table = commands.add_parser(
        "table",
        help="print a table instead of opening the window",
        description="Prints usage as a table. Ends with 0 only if the range is complete, with 3 if something is "
        "missing (said on standard error), with 2 for arguments that can't be used, with 1 if nothing could be "
        "done. The key comes from the keyring or from OPENAI_ADMIN_KEY.",
    )
    _add_common(table, again=True)
    _add_table(table)
    forget = commands.add_parser(
        "forget",
        help="remove the key from the keyring, or all that is kept",
        description="Removes the organization's key from the keyring; with --all every key, and all usage, names "
        "and settings. Asks first. Ends with 0 if it is done, with 3 if it was not confirmed.",
    )
    _add_common(forget, again=True)
    forget.add_argument(
        "--all", action="store_true", help="every organization's key, all usage and names, and the settings"
    )
    forget.add_argument("--yes", action="store_true", help="don't ask")
    return top


def _add_common(target: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Options that stand before or after the command; after it, an option left out leaves the first one be."""
    kept = argparse.SUPPRESS if again else None
    target.add_argument(
        "--demo",
        action="store_true",
        default=kept or False,
        help="look at a synthetic organization; no key is needed, nothing is kept",
    )
    target.add_argument(
        "--open",
        type=Path,
        metavar="FILE",
        default=kept,
        help="look at a saved snapshot (.zip or folder); no key is needed, nothing is fetched",
    )
    target.add_argument(
        "--base-url",
        metavar="URL",
        default=kept,
        help="ask another server: an https address, or one of this computer",
    )
    target.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE.pem",
        default=kept,
        help="trust the certificates in this file too, beside those that the system trusts",
    )
    target.add_argument(
        "--profile",
        metavar="NAME",
        default=kept,
        help="which organization, by its name or id: each has its own key and data (default: in the window the "
        "one looked at last, else the one whose id is default)",
    )
    target.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        default=kept,
        help="where data and settings are kept (default: the system's place for them)",
    )
    target.add_argument(
        "--verbose",
        action="store_true",
        default=kept or False,
        help="log to standard error; the key is masked",
    )


def _add_table(table: argparse.ArgumentParser) -> None:
    table.add_argument(
        "--dataset",
        default="completions",
        metavar="NAME",
        help=f"one of {', '.join(DATASETS)} (default: completions)",
    )
    table.add_argument(
        "--from",
        dest="start",
        required=True,
        metavar="DATE",
        help="first day or time, in the zone: 2026-10-01 or 2026-10-01T14:00",
    )
    table.add_argument(
        "--to", dest="end", required=True, metavar="DATE", help="day or time before which to stop, in the zone"
    )
    table.add_argument(
        "--zone",
        default="UTC",
        metavar="ZONE",
        help="whose days, weeks and months: UTC, local or a name like Europe/Berlin (default: UTC)",
    )
    table.add_argument(
        "--per",
        default="total",
        metavar="PERIOD",
        help="minute, hour, day, week or month: a row for each; total: the whole range (default: total)",
    )
    table.add_argument(
        "--group-by",
        default="",
        metavar="A,B",
        help="dimensions such as model,project_id, in the order of the columns (default: none); "
        f"{EXTRA}NAME is a field newer than this version",
    )
    table.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="keep only this value of a dimension, by its id; give it again for more; NAME!=VALUE leaves a value "
        "out; NAME= is usage without one",
    )
    table.add_argument(
        "--sort",
        default="",
        metavar="A,-B",
        help=f"columns to sort by, as -input_tokens,model: - for descending; {PERIOD} is the time",
    )
    table.add_argument(
        "--metrics",
        default="",
        metavar="A,B|all",
        help=f"figures to show (default: the most useful ones); {EXTRA}NAME is a field newer than this version",
    )
    shown = table.add_mutually_exclusive_group()
    shown.add_argument(
        "--names",
        action="store_true",
        help="fetch and show the names of projects, users and API keys; json has ids and names",
    )
    shown.add_argument("--ids", dest="names", action="store_false", help="show ids (default)")
    table.add_argument(
        "--format",
        choices=FORMATS,
        default="tsv",
        metavar="FORMAT",
        help=f"{_either(FORMATS)} (default: tsv); json has raw ids, exact numbers, null for none",
    )
    stored = table.add_mutually_exclusive_group()
    stored.add_argument("--no-store", action="store_true", help="neither use nor change the local database")
    stored.add_argument(
        "--start-anew",
        action="store_true",
        help="if the local database is damaged, keep it aside and begin an empty one",
    )


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def view_of(arguments: argparse.Namespace) -> ViewState:
    """The view that the arguments of `table` ask for. Raises InputError."""
    data = ViewState(dataset_name=arguments.dataset, grouping=()).dataset
    grouping, zone = _listed(arguments.group_by), zone_of(arguments.zone)
    view = ViewState(
        dataset_name=data.name,
        range=DateRange(None, moment(arguments.start, zone), moment(arguments.end, zone)),
        per=_per(arguments.per),
        grouping=grouping,
        filters=filters(arguments.filter, data),
        columns=_metrics(arguments.metrics, data),
        zone=arguments.zone,
    )
    return view.with_order(_order(arguments.sort, view))


def moment(text: str, zone: tzinfo = UTC) -> datetime:
    """An ISO date (its midnight) or time as the time that clocks in `zone` show; one without an offset is such."""
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None:
            parsed = parsed.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise InputError(
            text,
            title="This is not a date",
            hint="Write it as 2026-10-01, or with a time as 2026-10-01T14:00 or 2026-10-01T14:00+02:00.",
        ) from error
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        raise InputError(
            text, title="This date is too far away", hint=f"Choose a year from {FIRST_YEAR} to {LAST_YEAR}."
        )
    if parsed.second or parsed.microsecond:
        raise InputError(text, title="The finest usage is that of minutes", hint="Choose a time on a whole minute.")
    return parsed


def filters(texts: Sequence[str], data: Dataset) -> tuple[Filter, ...]:
    """`NAME=VALUE` and `NAME!=VALUE`; several of one name and kind are taken together."""
    chosen: dict[str, Filter] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        exclude = name.endswith("!")
        name = name.removesuffix("!").strip()
        if not equals or not name:
            raise InputError(
                text, title="This filter can't be used", hint="Write it as model=gpt-5 or model!=gpt-5."
            )
        before = chosen.get(name)
        if before is not None and before.exclude != exclude:
            raise InputError(
                text, title=f"{name} is both kept and left out", hint="Use either = or != for one dimension."
            )
        values = {_filter_value(name, value, data)} | (before.values if before else set())
        chosen[name] = Filter(name, frozenset(values), exclude)
    return tuple(chosen.values())


def _filter_value(name: str, text: str, data: Dataset) -> Value:
    if not text:
        return None
    if data.has_dimension(name) and data.dimension(name).boolean:
        lowered = {"yes": "true", "no": "false"}.get(text.lower(), text.lower())
        if lowered not in ("true", "false"):
            raise InputError(text, title=f"{name} is yes or no", hint=f"Write {name}=true or {name}=false.")
        return lowered
    return text


def _per(text: str) -> Granularity:
    try:
        return Granularity(text)
    except ValueError:
        raise InputError(
            text, title="There is no such period", hint="Choose one of: " + ", ".join(Granularity)
        ) from None


def _metrics(text: str, data: Dataset) -> tuple[str, ...]:
    if text.strip() == "all":
        return tuple(column.name for column in data.columns)
    return _listed(text)


def _order(text: str, view: ViewState) -> tuple[SortKey, ...]:
    keys = tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in _listed(text))
    for key in keys:
        if key.column.name not in view.keys:
            raise InputError(
                key.column.name,
                title="The table can't be sorted by what it doesn't show",
                hint="Choose from: " + ", ".join(view.keys) + f" ({PERIOD} is the time)."
                if PERIOD in view.keys
                else "Choose from: " + ", ".join(view.keys) + ".",
            )
    return keys


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
