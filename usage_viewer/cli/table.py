"""`usage-viewer table`: fetches what is missing, prints the table, and says plainly if something is missing."""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC
from io import TextIOWrapper
from typing import TextIO

from usage_viewer.app.export import Export, Format, chunks
from usage_viewer.app.profile import Profile
from usage_viewer.app.session import Look, Session
from usage_viewer.cli.arguments import view_of
from usage_viewer.cli.telling import tell
from usage_viewer.domain.coverage import Coverage
from usage_viewer.domain.errors import ExportError, InputError, KeyMissing, StoreLocked, UsageViewerError
from usage_viewer.domain.period import Segment, iso
from usage_viewer.domain.view import ViewState

COMPLETE, FAILED, BAD_ARGUMENTS, INCOMPLETE = 0, 1, 2, 3


def run_table(arguments: argparse.Namespace, profile: Profile, out: TextIO, err: TextIO) -> int:
    """Prints to `out`; everything else that there is to say goes to `err`. Returns the exit status."""
    try:
        view = view_of(arguments)
        session = profile.open_session()
    except InputError as error:
        tell(error, err)
        return BAD_ARGUMENTS
    except StoreLocked as error:
        tell(
            StoreLocked(error.detail, hint="Close the window, or add --no-store to leave the database alone."), err
        )
        return FAILED
    except UsageViewerError as error:
        tell(error, err)
        return FAILED
    try:
        return _print_table(session, view, profile, Format(arguments.format), out, err)
    finally:
        session.close()


def _print_table(
    session: Session, view: ViewState, profile: Profile, form: Format, out: TextIO, err: TextIO
) -> int:
    error = _fetch(session, view, profile, err)
    try:
        look = session.look(view, named=False)
        _write(look, form, out)
    except InputError as refused:
        tell(refused, err)
        return BAD_ARGUMENTS
    except UsageViewerError as failed:
        tell(failed, err)
        return FAILED
    if error is not None:
        tell(error, err)
    for name in look.unavailable:
        err.write(f"{view.data.dimension(name).label} ({name}) is not to be had from this organization.\n")
    if profile.read_only:
        return _say_what_the_snapshot_lacks(look.coverage, err)
    say_what_lacks(look.coverage, err)
    return COMPLETE if look.coverage.complete and error is None else INCOMPLETE


def _say_what_the_snapshot_lacks(coverage: Coverage, err: TextIO) -> int:
    """What was still to come when it was saved lacks too."""
    if coverage.complete and not coverage.to_come:
        return COMPLETE
    err.write(f"Incomplete: the snapshot has {coverage.summary}.\n")
    _say_segments(coverage.missing, err)
    return INCOMPLETE


def _fetch(session: Session, view: ViewState, profile: Profile, err: TextIO) -> UsageViewerError | None:
    """Brings what is missing; the error that stopped it, if one did."""
    show = _progress_on(err)
    try:
        if not session.coverage(view).wanted:
            return None
        if not profile.needs_key:
            return None
        key = profile.keystore.load()
        if key is None:
            return KeyMissing(hint="Set OPENAI_ADMIN_KEY, or start usage-viewer once and enter an admin key there.")
        session.connect(profile.source(key))
        for step in session.fetch(view, cancelled=threading.Event()):
            show(step.notice or f"{step.done} of {step.total} requests")
    except UsageViewerError as error:
        return error
    finally:
        show("")
    return None


def _progress_on(err: TextIO) -> Callable[[str], None]:
    """One line that is written over, on a terminal; else nothing."""
    if not err.isatty():
        return lambda text: None

    def show(text: str) -> None:
        err.write(f"\r\x1b[K{text}")
        err.flush()

    return show


def _write(look: Look, form: Format, out: TextIO) -> None:
    export = Export(look.table, look.table.ordered(look.view.order), None)
    try:
        for chunk in chunks(export, form):
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
    elif coverage.to_come:
        err.write(f"The range ends in the future: {coverage.summary}.\n")


def _say_segments(segments: Sequence[Segment], err: TextIO) -> None:
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
