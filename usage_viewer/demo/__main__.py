"""The command `python -m usage_viewer.demo`: runs the demo server and prints its base URL."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.api.limits import Limits, parse_error
from usage_viewer.demo.api.refusal import GroupingRule, RefusedGroupings
from usage_viewer.demo.server.parent import watch_parent, watch_stdin
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo server until it is interrupted or its parent process ends.

    The only line of standard output is the base URL. Returns the exit status: 0, 1 if the port can't be opened or
    the truth can't be written, 130 after an interrupt.
    """
    options = _parser().parse_args(arguments)
    done = threading.Event()
    (watch_stdin if options.watch_stdin else watch_parent)(done.set)
    organization = SyntheticOrganization(
        seed=options.seed,
        scale=options.scale,
        days=options.days,
        anchor=options.anchor,
        currencies=options.currencies,
    )
    if options.truth is not None and not _write_truth(organization, options.truth):
        return 1
    demo = DemoServer(
        organization,
        address=(options.host, options.port),
        key=options.key,
        latency=options.latency_ms / 1000,
        refused=RefusedGroupings.of(*options.refuse_dimension, rules=options.refuse),
        limits=Limits(options.limit_per_minute, dict(options.error)),
    )
    try:
        with demo:
            print(demo.base_url, flush=True)
            # In steps of 1 s: on Windows, a wait without a timeout can't be interrupted.
            while not done.wait(1.0):
                pass
    except OSError as error:
        print(f"usage_viewer.demo: can't listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _write_truth(organization: SyntheticOrganization, path: Path) -> bool:
    """Write what each part of the bill cost until midnight; report on standard error why it can't be written."""
    from usage_viewer.demo.world.truth import write_truth

    try:
        write_truth(organization, path, int(time.time()))
    except OSError as error:
        print(f"usage_viewer.demo: can't write {path}: {error}", file=sys.stderr)
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    dimensions = sorted({name for dataset in DATASETS.values() for name in dataset.group_by})
    parser = argparse.ArgumentParser(
        prog="python -m usage_viewer.demo",
        description="Serves the data of a synthetic organization, as the OpenAI Usage API does. "
        "Prints its base URL and runs until its parent process ends.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=0, help="port to listen on; 0: any free port (default)")
    add("--days", type=_positive, default=400, help="days of usage before the anchor day (default: %(default)s)")
    add(
        "--scale",
        choices=("small", "large"),
        default="small",
        help="120 or 1,000 combinations of dimensions (default: %(default)s)",
    )
    add("--latency-ms", type=float, default=0.0, help="wait before each response, in milliseconds (default: none)")
    add("--seed", type=int, default=1, help="each seed gives another organization (default: %(default)s)")
    add("--anchor", type=int, help="the day that usage is generated up to, in epoch seconds (default: today)")
    add("--key", default=ADMIN_KEY, help="the admin key to accept (default: %(default)s)")
    add(
        "--refuse-dimension",
        nargs="+",
        action="extend",
        default=[],
        choices=dimensions,
        metavar="NAME",
        help="answer HTTP 400 to a request that is grouped by this dimension",
    )
    add(
        "--refuse",
        nargs="+",
        action="extend",
        default=[],
        type=GroupingRule.parse,
        metavar="RULE",
        help="answer HTTP 400 to a request that is grouped by all dimensions of a rule: [DATASET:]NAME[+NAME...], "
        "with +* only beside another one, with <DAY only if it begins before that day (UTC); "
        "such as costs:user_id+* or costs:api_key_id<2025-12-06",
    )
    add(
        "--limit-per-minute",
        type=_positive,
        default=0,
        metavar="N",
        help="answer each kind of list N times a minute, then HTTP 429 without any header (default: no limit)",
    )
    add(
        "--error",
        nargs="+",
        action="extend",
        default=[],
        type=parse_error,
        metavar="PATH=STATUS[:CODE[:MESSAGE]]",
        help="answer requests whose path ends with PATH by this error, such as /costs=404",
    )
    add(
        "--currencies",
        nargs="+",
        default=["usd"],
        type=_currency,
        metavar="CODE",
        help="bill the projects in these currencies in turn, such as usd eur (default: usd)",
    )
    add(
        "--truth",
        type=Path,
        metavar="FILE",
        help="write what each part of the bill cost until today (UTC), as lines of JSON, before the base URL",
    )
    add(
        "--watch-stdin",
        action="store_true",
        help="end at the end of standard input instead of with the parent process",
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _currency(text: str) -> str:
    if not (len(text) == 3 and text.isascii() and text.isalpha()):
        raise argparse.ArgumentTypeError("must be three letters, such as eur")
    return text.lower()


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command, then end the process without waiting for threads that answer a client or read stdin."""
    code = main(arguments)
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
