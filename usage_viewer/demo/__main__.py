"""`python -m usage_viewer.demo`: serves the synthetic organization and prints its base URL."""

import argparse
import os
import sys
import threading
from collections.abc import Sequence

from usage_viewer.demo.api.access import ADMIN_KEY
from usage_viewer.demo.server.parent import watch_parent, watch_stdin
from usage_viewer.demo.server.server import DemoServer
from usage_viewer.demo.world.organization import SyntheticOrganization
from usage_viewer.domain.catalog import DATASETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is interrupted or its parent is gone. The first line of the output is the base URL."""
    options = _parser().parse_args(arguments)
    done = threading.Event()
    (watch_stdin if options.watch_stdin else watch_parent)(done.set)
    organization = SyntheticOrganization(
        seed=options.seed, scale=options.scale, days=options.days, anchor=options.anchor
    )
    demo = DemoServer(
        organization,
        host=options.host,
        port=options.port,
        key=options.key,
        latency=options.latency_ms / 1000,
        refused=options.refuse_dimension,
        refused_pairs=options.refuse_pair,
    )
    try:
        with demo:
            print(demo.base_url, flush=True)
            # In steps, because a wait without an end can't be interrupted on Windows.
            while not done.wait(1.0):
                pass
    except OSError as error:
        print(f"usage_viewer.demo: can't listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    dimensions = sorted({name for dataset in DATASETS.values() for name in dataset.group_by})
    parser = argparse.ArgumentParser(
        prog="python -m usage_viewer.demo",
        description="A stand-in for the organization Usage API over a synthetic organization. "
        "Prints its base URL and serves until its parent process ends.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    add("--days", type=_positive, default=400, help="how far back there is usage (default: %(default)s)")
    add("--scale", choices=("small", "large"), default="small", help="120 or 1,000 combinations of dimensions")
    add("--latency-ms", type=float, default=0.0, help="wait before each answer (default: none)")
    add("--seed", type=int, default=1, help="another organization for each seed (default: %(default)s)")
    add("--anchor", type=int, help="the day the organization lives up to, in epoch seconds (default: today)")
    add("--key", default=ADMIN_KEY, help="the key that opens it (default: %(default)s)")
    add(
        "--refuse-dimension",
        nargs="+",
        action="extend",
        default=[],
        choices=dimensions,
        metavar="NAME",
        help="answer 400 when this dimension is grouped by",
    )
    add(
        "--refuse-pair",
        nargs=2,
        action="append",
        default=[],
        choices=dimensions,
        metavar="NAME",
        help="answer 400 when costs are grouped by both",
    )
    add("--watch-stdin", action="store_true", help="end when standard input does, not with the parent process")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads that answer a client, or read standard input, are not waited for
