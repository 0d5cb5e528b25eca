"""Implements `usage-viewer table`: loads missing usage, prints the table, and lists usage that is still missing."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from usage_viewer.app.export import Export, Format, chunks, file_pieces, provenance_of_result, save, totals_of
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.session import Session
from usage_viewer.cli.chosen_view import ChosenView, choose_view
from usage_viewer.cli.error_output import CLEAR_LINE, write_error
from usage_viewer.domain.compared_view import sides
from usage_viewer.domain.coverage import Coverage, Refresh
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import (
    ExportError,
    InputError,
    KeyForAnotherServer,
    KeyMissing,
    StoreDamaged,
    StoreLocked,
    UsageViewerError,
)
from usage_viewer.domain.extent import count, duration_text
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.zones import iso
from usage_viewer.keystore import ENVIRONMENT_VARIABLE

COMPLETE, FAILED, BAD_ARGUMENTS, INCOMPLETE = 0, 1, 2, 3
LOCKED_HINT = "Close the window, or add --no-store to run without the database."
DAMAGED_HINT = "Add --start-over to start with an empty database; the damaged file is kept as a copy."


def run_table(
    arguments: argparse.Namespace,
    profile: Profile,
    out: TextIO,
    err: TextIO,
    write: "Writer | None" = None,
    adjust: "Adjust | None" = None,
) -> int:
    """Print the table to `out` and all messages to `err`; return the exit status.

    `write` writes something else than the table, of the view that `adjust` returns.
    """
    try:
        chosen = choose_view(arguments)
        if adjust is not None:
            chosen = replace(chosen, view=adjust(chosen.view))
        _check_output(arguments, out)
        try:
            return _print_view(arguments, chosen, profile, out, err, write)
        except StoreDamaged:
            if not arguments.start_over:
                raise
            copy = profile.start_over()
            err.write(f"The damaged database is kept as {visible(str(copy))}.\n")
            return _print_view(arguments, chosen, profile, out, err, write)
    except KeyForAnotherServer as error:
        error.hint = f"{error.hint} {_other_server_hint(error)}"
        write_error(error, err)
        return BAD_ARGUMENTS
    except InputError as error:
        write_error(error, err)
        return BAD_ARGUMENTS
    except StoreLocked as error:
        write_error(StoreLocked(error.detail, hint=LOCKED_HINT), err)
    except StoreDamaged as error:
        error.hint = DAMAGED_HINT
        write_error(error, err)
    except UsageViewerError as error:
        write_error(error, err)
    return FAILED


def _other_server_hint(error: KeyForAnotherServer) -> str:
    """Return what the user can do if the key may be sent to the server after all."""
    if not error.reusable:
        return f"To send it there, add --base-url with the full address at {error.server}."
    return (
        "To use it there, start usage-viewer with the same options and agree in its window. To use another key, "
        f"set {ENVIRONMENT_VARIABLE} and add --base-url with the full address at {error.server}."
    )


def _check_output(arguments: argparse.Namespace, out: TextIO) -> None:
    """Raise InputError for a workbook on a terminal, which would show it as garbage."""
    if (
        arguments.format == Format.XLSX
        and arguments.output is None
        and (out.isatty() or not hasattr(out, "buffer"))
    ):
        raise InputError(
            title="An Excel workbook can't be shown in a terminal",
            hint="Add --output FILE.xlsx.",
        )


def _print_view(
    arguments: argparse.Namespace,
    chosen: ChosenView,
    profile: Profile,
    out: TextIO,
    err: TextIO,
    write: "Writer | None",
) -> int:
    view = chosen.view
    session = profile.open_session(chosen.week_start)
    try:
        refresh = Refresh.ALL if arguments.refetch else Refresh.NEEDED
        if arguments.ask_again:
            session.ask_again(view.dataset_name)
        form = Format(arguments.format)
        names = arguments.names or chosen.needs_names
        task = Printing(session, view, profile, form, names, arguments.output, err, refresh)
        status = _print_table(task, write or (lambda result, task: write_export(_export(result, task), task, out)))
        for note in chosen.notes:
            err.write(f"{note}\n")
        return INCOMPLETE if status == COMPLETE and chosen.notes else status
    finally:
        session.close()


@dataclass(frozen=True)
class Printing:
    """Describes what to print, with the session and the stream for messages.

    `form` is the table's format, `output` the file for it; None: standard output.
    """

    session: Session
    view: ViewState
    profile: Profile
    form: Format
    names: bool
    output: Path | None
    err: TextIO
    refresh: Refresh


Adjust = Callable[[ViewState], ViewState]

Writer = Callable[[ViewResult, Printing], None]
"""Writes what a command was asked for. Raises UsageViewerError."""


def _print_table(task: Printing, write: Writer) -> int:
    session, view, profile, err = task.session, task.view, task.profile, task.err
    session.check(view.dataset_name)
    error = _fetch(task)
    result = session.look(view, named=task.names)
    _check_extras(result)
    write(result, task)
    if error is not None:
        write_error(error, err)
    if profile.clock_note:
        err.write(f"{profile.clock_note}.\n")
    has_refused = _report_adjustments(result, err)
    if not profile.capabilities.can_fetch:
        is_known = _report_missing_cost(result, err)
        status = _report_missing_in_snapshot(result.coverage, err)
        return status if is_known else INCOMPLETE
    report_missing(result.coverage, err)
    known = [_report_missing_cost(side, err) for side in result.sides]  # each is reported
    is_complete = result.complete and all(known) and error is None and not has_refused
    return COMPLETE if is_complete else INCOMPLETE


def _report_adjustments(result: ViewResult, err: TextIO) -> bool:
    """Report how the view was adjusted to the dataset, and which dimensions are not available.

    Returns whether a dimension that the arguments use is not available.
    """
    for note in result.notes:
        err.write(f"{note}\n")
    used = {*result.view.dimensions, *(item.dimension for item in result.view.filters)}
    for name in result.unavailable_dimensions:
        if name not in used:
            label = result.view.dataset.dimension(name).label
            err.write(f"{label} ({name}) is not available for this organization.\n")
    return bool(result.lacking)


def _check_extras(result: ViewResult) -> None:
    """Raise InputError for a field that neither this version nor any response of the server has."""
    received = (*result.extras.figures, *result.extras.values)
    for name in result.view.extras:
        if name not in received:
            names = ", ".join(map(visible, received))
            raise InputError(
                name,
                title="The server has sent no such field",
                hint=f"Choose from: {names}."
                if names
                else "The server has sent no fields that this version doesn't know.",
            )


def _report_missing_in_snapshot(coverage: Coverage, err: TextIO) -> int:
    """Report the usage that the snapshot lacks, including buckets that were in the future when it was saved."""
    if coverage.complete and not coverage.future_buckets:
        return COMPLETE
    extent = coverage.extent
    later = f", {extent.future} of them were still to come" if extent.future else ""
    days = count(extent.begun + extent.future, extent.noun)
    err.write(f"Incomplete: the snapshot has {extent.loaded} of {days}{later}.\n")
    _list_runs(coverage.missing, err)
    return INCOMPLETE


def _fetch(task: Printing) -> UsageViewerError | None:
    """Load missing usage, and names if the table shows them. Returns the error that stopped it, or None."""
    session, view, profile = task.session, task.view, task.profile
    show = _progress_line(task.err)
    try:
        needs_usage = any(session.coverage(side, refresh=task.refresh).to_fetch for side in sides(view))
        needs_names = task.names and _uses_names(view)
        store_session = session.store_session
        if not (needs_usage or needs_names) or store_session is None or not profile.capabilities.needs_key:
            return None
        keystore = profile.keystore
        key = keystore.load()
        if key is None:
            why = "" if keystore.persistent else f"{keystore.description} "
            return KeyMissing(hint=f"{why}Set OPENAI_ADMIN_KEY, or start usage-viewer and add an admin key there.")
        if profile.server_note:
            task.err.write(f"usage-viewer: {profile.server_note}\n")
        store_session.connect(profile.source(key))
        for step in session.fetch(view, refresh=task.refresh):
            show(step.notice or f"Loading: {step.done} of {count(step.total, 'request')}")
        if needs_names:
            show("Loading names")
            _fetch_names(session, task.err, show)
    except (StoreDamaged, KeyForAnotherServer):
        raise
    except UsageViewerError as error:
        return error
    finally:
        show("")
    return None


def _uses_names(view: ViewState) -> bool:
    used = {*view.dimensions, *(item.dimension for item in view.filters)}
    return bool(view.search) or any(view.dataset.dimension(name).names for name in used)


def _fetch_names(session: Session, err: TextIO, show: Callable[[str], None]) -> None:
    """Load names. A failure is only reported, because the table can show ids instead."""
    try:
        for notice in session.load_names():
            show(notice)
    except UsageViewerError as error:
        show("")
        err.write(f"Some names could not be loaded: {error.title.lower()}. {error.hint}\n")


def _progress_line(err: TextIO) -> Callable[[str], None]:
    """Return a function that replaces the progress line on a terminal; on other streams it writes nothing."""
    if not err.isatty():
        return lambda text: None

    def show(text: str) -> None:
        err.write(f"{CLEAR_LINE}{visible(text)}")
        err.flush()

    return show


def write_export(export: Export, task: Printing, out: TextIO) -> None:
    """Write a table to the file of the task, or to `out`. Raises ExportError, BrokenPipeError."""
    if task.output is not None:
        save(export, task.form, task.output)
        return
    try:
        if task.form is Format.XLSX:
            for piece in file_pieces(export, task.form):
                out.buffer.write(piece)
        else:
            for chunk in chunks(export, task.form):
                out.write(chunk)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ExportError(
            error.strerror or str(error),
            title="The table can't be written",
            hint="Check the output's permissions and free space.",
        ) from error


def _export(result: ViewResult, task: Printing) -> Export:
    rows, view = result.table.ordered(result.view.order), result.effective_view
    if task.form is not Format.XLSX:
        return Export(result.table, rows, names=task.names)
    return Export(
        result.table,
        rows,
        provenance_of_result(result, task.session.names),
        totals=totals_of(result.table, rows, view.dataset, result.coverage),
    )


def report_missing(coverage: Coverage, err: TextIO) -> None:
    """Report missing ranges, otherwise ranges that may have grown, otherwise that the range ends in the future."""
    if not coverage.complete:
        err.write(f"Incomplete: {coverage.summary}. Missing:\n")
        _list_runs(coverage.missing, err)
    elif coverage.stale:
        err.write(f"{coverage.summary}, but these may have changed since they were loaded:\n")
        _list_runs(coverage.stale, err)
    elif coverage.future_buckets:
        err.write(f"The range ends in the future. {coverage.summary}.\n")


def _report_missing_cost(result: ViewResult, err: TextIO) -> bool:
    """Report the days whose cost is not known, otherwise those that may have changed since they were loaded.

    Returns whether all cost that the arguments ask for is known.
    """
    cost = result.cost
    if cost is None:
        return True
    if not cost.days.complete:
        err.write(f"Cost is incomplete: {cost.summary}. Missing:\n")
        _list_runs(cost.days.missing, err)
    elif cost.days.stale:
        err.write(f"Cost: {cost.summary}. These may have changed since they were loaded:\n")
        _list_runs(cost.days.stale, err)
    return cost.by_default or cost.days.complete


def _list_runs(runs: Sequence[BucketRun], err: TextIO) -> None:
    for run in runs:
        err.write(f"  {iso(run.start, UTC)} to {iso(run.end, UTC)} ({duration_text(run.end - run.start)})\n")


def run(
    arguments: argparse.Namespace, profile: Profile, write: Writer | None = None, adjust: Adjust | None = None
) -> int:
    """Run the command with the process's streams; a closed pipe and Ctrl+C end it without a traceback.

    `write` writes something else than the table, of the view that `adjust` returns.
    """
    return with_standard_output(
        lambda out: run_table(arguments, profile, out, sys.stderr, write, adjust),
        has_file=arguments.output is not None,
    )


def with_standard_output(act: Callable[[TextIO], int], *, has_file: bool = False) -> int:
    """Return the exit status of `act`, which writes to standard output; `has_file`: or to a file instead.

    A closed pipe and Ctrl+C end it without a traceback.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        # Other programs get UTF-8 and the format's own line ends, whatever the system's defaults are.
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="replace", newline="")
    if sys.stdout is None:  # the process was started without it
        if not has_file:
            write_error(ExportError(title="There is no standard output", hint="Add --output FILE."), sys.stderr)
            return FAILED
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
    try:
        return act(sys.stdout)
    except BrokenPipeError:
        # The reading program has ended.
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nusage-viewer: Stopped. Data loaded so far is kept.\n")
        return INCOMPLETE
    finally:
        _discard_unwritten_output()


def _discard_unwritten_output() -> None:
    """Discard output that can't be written; Python would otherwise try again at exit and print an error."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
