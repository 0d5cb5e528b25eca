"""`usage-viewer table`: fetches what is missing, prints the table, and says plainly if something is missing."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from io import TextIOWrapper
from typing import TextIO

from usage_viewer.app.export import Export, Format, chunks
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.result import ViewResult
from usage_viewer.app.session.session import Session
from usage_viewer.cli.arguments import view_of
from usage_viewer.cli.error_output import tell
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.errors import (
    ExportError,
    InputError,
    KeyMissing,
    StoreDamaged,
    StoreLocked,
    UsageViewerError,
)
from usage_viewer.domain.period import BucketRun
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.zones import iso

COMPLETE, FAILED, BAD_ARGUMENTS, INCOMPLETE = 0, 1, 2, 3
LOCKED_HINT = "Close the window, or add --no-store to leave the database alone."
DAMAGED_HINT = "Add --start-anew: the damaged file is kept aside, and the usage is fetched again."


def run_table(arguments: argparse.Namespace, profile: Profile, out: TextIO, err: TextIO) -> int:
    """Prints to `out`; everything else that there is to say goes to `err`. Returns the exit status."""
    try:
        view = view_of(arguments)
        try:
            return _print_view(arguments, view, profile, out, err)
        except StoreDamaged:
            if not arguments.start_anew:
                raise
            aside = profile.start_anew()
            err.write(f"The damaged database is kept as {visible(str(aside))}.\n")
            return _print_view(arguments, view, profile, out, err)
    except InputError as error:
        tell(error, err)
        return BAD_ARGUMENTS
    except StoreLocked as error:
        tell(StoreLocked(error.detail, hint=LOCKED_HINT), err)
    except StoreDamaged as error:
        tell(StoreDamaged(error.detail, hint=DAMAGED_HINT), err)
    except UsageViewerError as error:
        tell(error, err)
    return FAILED


def _print_view(arguments: argparse.Namespace, view: ViewState, profile: Profile, out: TextIO, err: TextIO) -> int:
    session = profile.open_session()
    try:
        task = Printing(session, view, profile, Format(arguments.format), arguments.names, err)
        return _print_table(task, out)
    finally:
        session.close()


@dataclass(frozen=True)
class Printing:
    """What is to be printed, and where to say what else there is to say."""

    session: Session
    view: ViewState
    profile: Profile
    form: Format
    names: bool
    err: TextIO


def _print_table(task: Printing, out: TextIO) -> int:
    session, view, profile, err = task.session, task.view, task.profile, task.err
    error = _fetch(task)
    look = session.look(view, named=task.names)
    _check_extras(look)
    _write(look, task, out)
    if error is not None:
        tell(error, err)
    if profile.clock_note:
        err.write(f"{profile.clock_note}.\n")
    lacking = _say_what_is_otherwise(look, err)
    if not profile.capabilities.can_fetch:
        return _say_what_the_snapshot_lacks(look.coverage, err)
    say_what_lacks(look.coverage, err)
    return COMPLETE if look.coverage.complete and error is None and not lacking else INCOMPLETE


def _say_what_is_otherwise(look: ViewResult, err: TextIO) -> bool:
    """Says what the dataset can't show as asked. Returns whether a dimension that was asked for can't be had."""
    for note in look.notes:
        err.write(f"{note}\n")
    named = {*look.view.grouping, *(item.dimension for item in look.view.filters)}
    for name in look.unavailable_dimensions:
        if name not in named:
            label = look.view.dataset.dimension(name).label
            err.write(f"{label} ({name}) is not to be had from this organization.\n")
    return bool(named & set(look.unavailable_dimensions))


def _check_extras(look: ViewResult) -> None:
    """A field that this version doesn't know is shown if an answer has held it."""
    known = (*look.extras.figures, *look.extras.values)
    for name in look.view.extras:
        if name not in known:
            listed = ", ".join(known)
            raise InputError(
                name,
                title="No answer has held this field",
                hint=f"Choose from: {listed}." if listed else "There are no fields newer than this version.",
            )


def _say_what_the_snapshot_lacks(coverage: Coverage, err: TextIO) -> int:
    """What was still to come when it was saved lacks too."""
    if coverage.complete and not coverage.future_buckets:
        return COMPLETE
    err.write(f"Incomplete: the snapshot has {coverage.summary}.\n")
    _say_segments(coverage.missing, err)
    return INCOMPLETE


def _fetch(task: Printing) -> UsageViewerError | None:
    """Brings what is missing, and names if they are to be shown; the error that stopped it, if one did."""
    session, view, profile = task.session, task.view, task.profile
    show = _progress_on(task.err)
    try:
        wanted, named = bool(session.coverage(view).to_fetch), task.names and _has_names(view)
        store_session = session.store_session
        if not (wanted or named) or store_session is None or not profile.capabilities.needs_key:
            return None
        key = profile.keystore.load()
        if key is None:
            return KeyMissing(hint="Set OPENAI_ADMIN_KEY, or start usage-viewer once and enter an admin key there.")
        store_session.connect(profile.source(key))
        for step in session.fetch(view):
            show(step.notice or f"{step.done} of {step.total} requests")
        if named:
            show("Loading names")
            _fetch_names(session, task.err, lambda: show(""))
    except StoreDamaged:
        raise
    except UsageViewerError as error:
        return error
    finally:
        show("")
    return None


def _has_names(view: ViewState) -> bool:
    used = {*view.grouping, *(item.dimension for item in view.filters)}
    return bool(view.search) or any(view.dataset.dimension(name).names for name in used)


def _fetch_names(session: Session, err: TextIO, wipe: Callable[[], None]) -> None:
    """Without names there are still ids: that is said, and no more."""
    try:
        session.fetch_names()
    except UsageViewerError as error:
        wipe()
        err.write(f"Not all names can be had: {error.title.lower()}. {error.hint}\n")


def _progress_on(err: TextIO) -> Callable[[str], None]:
    """One line that is written over, on a terminal; else nothing."""
    if not err.isatty():
        return lambda text: None

    def show(text: str) -> None:
        err.write(f"\r\x1b[K{text}")
        err.flush()

    return show


def _write(look: ViewResult, task: Printing, out: TextIO) -> None:
    export = Export(look.table, look.table.ordered(look.view.order), None, names=task.names)
    try:
        for chunk in chunks(export, task.form):
            out.write(chunk)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ExportError(
            error.strerror or str(error),
            title="The table can't be written",
            hint="Check where the output goes: its permissions and the free space.",
        ) from error


def say_what_lacks(coverage: Coverage, err: TextIO) -> None:
    """What is not held, range by range; what could not be asked for again; what is still to come."""
    if not coverage.complete:
        err.write(f"Incomplete: {coverage.summary}. Missing:\n")
        _say_segments(coverage.missing, err)
    elif coverage.stale:
        err.write(f"All of it is held ({coverage.summary}), but this may have grown since it was fetched:\n")
        _say_segments(coverage.stale, err)
    elif coverage.future_buckets:
        err.write(f"The range ends in the future: {coverage.summary}.\n")


def _say_segments(segments: Sequence[BucketRun], err: TextIO) -> None:
    for segment in segments:
        noun = segment.width.noun + ("" if segment.buckets == 1 else "s")
        err.write(f"  {iso(segment.start, UTC)} to {iso(segment.end, UTC)} ({segment.buckets} {noun})\n")


def run(arguments: argparse.Namespace, profile: Profile) -> int:
    """With the process's own streams, which a closed pipe must not turn into a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        # What a program reads is UTF-8 with the formats' own line ends, whatever the system's habits are.
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="replace", newline="")
    try:
        return run_table(arguments, profile, sys.stdout, sys.stderr)
    except BrokenPipeError:
        # Whoever read has gone.
        return FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nusage-viewer: Stopped. What has arrived is kept.\n")
        return INCOMPLETE
    finally:
        _end_output()


def _end_output() -> None:
    """Drops what can't be written: Python would try again when it ends, and complain."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
