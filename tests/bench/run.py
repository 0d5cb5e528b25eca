"""Measures the program's speed against other tools, prints a table, writes `build/bench.json`.

Each part runs in a process of its own; `--only sort` runs one part. Compared figures are medians of
alternating runs on the same machine: trust the ratios, not the milliseconds.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).absolute().parent
ROOT = HERE.parent.parent
RESULT = ROOT / "build" / "bench.json"
PARTS = (
    "regroup",
    "pivot",
    "sort",
    "search",
    "scroll",
    "select_copy",
    "gui_block",
    "start",
    "chart",
    "decode",
    "fetch",
    "store",
    "memory",
    "growth",
    "spend",
)
MOST_SECONDS = 240
"""Seconds after which a part is ended and reported as failed."""
Record = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="measure this part alone")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.into is not None:
        _measure(arguments.only, arguments.into)
        return 0
    records: list[Record] = []
    failed = [part for part in PARTS if arguments.only in (None, part) and not _run(part, records)]
    RESULT.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    known = [record["met"] for record in records if record["met"] is not None]
    print(f"\n{known.count(True)} of {len(known)} goals are met. All figures: {RESULT.relative_to(ROOT)}")
    if failed:
        print("Failed: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


def _measure(part: str, into: Path) -> None:
    """Measures in the part's own process; writes each figure at once, as a line of JSON."""
    with into.open("w", encoding="utf-8") as file:
        for line in importlib.import_module(part).measure():
            file.write(json.dumps(line.record()) + "\n")
            file.flush()


def _run(part: str, records: list[Record]) -> bool:
    """Run a part; add its figures to `records` and print them. Return whether the part ended well."""
    into = RESULT.parent / "bench-data" / f"{part}.jsonl"
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text("", encoding="utf-8")
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--only", part, "--into", str(into)],
            env={"QT_QPA_PLATFORM": "offscreen", **os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
            timeout=MOST_SECONDS,
        )
        ended = done.returncode == 0
    except subprocess.TimeoutExpired:
        ended = False
    print(f"\n{part}  ({time.perf_counter() - begun:.0f} s{'' if ended else ', did not come to its end'})")
    for text in into.read_text(encoding="utf-8").splitlines():
        record = json.loads(text)
        records.append(record)
        print(_row(record), flush=True)
    return ended


def _row(record: Record) -> str:
    figure = f"{_number(record['figure'])} {record['unit']}"
    beside = "" if record["beside"] is None else f"{_number(record['beside'])} {record['unit']} {record['peer']}"
    ratio = "" if record["ratio"] is None else f"{_number(record['ratio'])} ×"
    met = {True: "met", False: "MISSED", None: ""}[record["met"]]
    row = f"  {record['name']:<46}{figure:>14}  {ratio:>9}  {beside:<40} {record['goal']:<32} {met}"
    return row.rstrip() + (f"\n      {record['note']}" if record["note"] and record["met"] is False else "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
