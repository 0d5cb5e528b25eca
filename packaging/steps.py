"""Runs the commands of the set-up and prints how far they are."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Report = Callable[[str], str | None]
"""Takes a line of a command's output and returns what to print about it; None prints nothing."""


def run_step(
    command: Sequence[str | Path],
    report: Report,
    environment: Mapping[str, str] | None = None,
    *,
    keep_input: bool = False,
) -> tuple[int, str]:
    """Run a command that asks no questions; return its exit status and its output.

    Each line goes to `report` when it arrives. With `keep_input`, the command can ask for a password.
    """
    lines = []
    with subprocess.Popen(
        [str(word) for word in command],
        env=environment,
        stdin=None if keep_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # a pipe was requested
        for line in process.stdout:
            lines.append(line)
            text = report(line.rstrip())
            if text is not None:
                print(f"  {text}", flush=True)
    return process.returncode, "".join(lines)


def count_lines(starts: tuple[str, ...], label: str, step: int = 10) -> Report:
    """Return a report that prints `label` with each `step`th line that begins with one of `starts`."""
    count = 0

    def report(line: str) -> str | None:
        nonlocal count
        if not line.startswith(starts):
            return None
        count += 1
        return f"{count} {label}" if count % step == 0 else None

    return report
