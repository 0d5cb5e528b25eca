"""Implements `usage-viewer views`: lists the views that the window has saved."""

import sys
from functools import partial
from pathlib import Path
from typing import TextIO

from usage_viewer.app.settings.saved_views import open_view
from usage_viewer.app.settings.view_file import load_views
from usage_viewer.cli.error_output import write_error
from usage_viewer.cli.table import COMPLETE, FAILED, with_standard_output
from usage_viewer.domain.errors import ExportError


def run(path: Path) -> int:
    """Run the command with the process's streams; return the exit status."""
    return with_standard_output(partial(run_views, path, err=sys.stderr))


def run_views(path: Path, out: TextIO, err: TextIO) -> int:
    """Print the name, dataset and range of each saved view in `path` to `out`; return the exit status.

    What this version does not know in a view is reported when the view is shown, not here.
    """
    stored = load_views(path)
    lines = []
    for saved in stored.views:
        view = open_view(saved).view
        chosen = view.range
        span = chosen.preset.value if chosen.preset is not None else f"{chosen.start} to {chosen.end}"
        lines.append(f"{saved.name}\t{view.dataset_name}\t{span}\n")
    try:
        out.writelines(lines)
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        write_error(ExportError(error.strerror or str(error), title="The list can't be written"), err)
        return FAILED
    if stored.note:
        err.write(f"{stored.note}\n")
        return FAILED
    return COMPLETE
