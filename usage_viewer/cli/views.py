"""Implements `usage-viewer views`: lists the views that the window has saved."""

from pathlib import Path
from typing import TextIO

from usage_viewer.app.settings.saved_views import open_view
from usage_viewer.app.settings.view_file import load_views


def run_views(path: Path, out: TextIO, err: TextIO) -> int:
    """Print the name, dataset and range of each saved view to `out`; return the exit status.

    What this version does not know in a view is reported when the view is shown, not here.
    """
    stored = load_views(path)
    for saved in stored.views:
        view = open_view(saved).view
        chosen = view.range
        span = chosen.preset.value if chosen.preset is not None else f"{chosen.start} to {chosen.end}"
        out.write(f"{saved.name}\t{view.dataset_name}\t{span}\n")
    if stored.note:
        err.write(f"{stored.note}\n")
        return 1
    return 0
