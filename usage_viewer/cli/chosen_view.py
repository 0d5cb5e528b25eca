"""Returns the view of `table` and `chart`: that of the options, or one that the window has saved."""

import argparse
from dataclasses import dataclass

from usage_viewer.app.profile.paths import ProfilePaths, default_data_dir
from usage_viewer.app.settings.saved_views import find_view, open_view
from usage_viewer.app.settings.view_file import load_views
from usage_viewer.cli.saved_view_option import given_view_options
from usage_viewer.cli.view_parsing import parse_view
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.view import ViewState


@dataclass(frozen=True, slots=True)
class ChosenView:
    """Holds the view to print, and a sentence for each part of a saved view that is left out.

    `week_start` is the first day of a week; Monday is 0. `needs_names` says that its search needs the names.
    """

    view: ViewState
    week_start: int = 0
    notes: tuple[str, ...] = ()
    needs_names: bool = False


def choose_view(arguments: argparse.Namespace) -> ChosenView:
    """Return the view of the arguments; a saved one is read from the data directory. Raises InputError."""
    if arguments.view is None:
        return ChosenView(parse_view(arguments))
    given = given_view_options(arguments)
    if given:
        raise InputError(
            title=f"--view can't be combined with {given[0]}", hint="A saved view has its own range and content."
        )
    data_dir = (arguments.data_dir or default_data_dir()).absolute()
    stored = load_views(ProfilePaths(data_dir).saved_views)
    opened = open_view(find_view(stored.views, arguments.view))
    notes = (stored.note, *opened.notes) if stored.note else opened.notes
    return ChosenView(opened.view, stored.week_start, notes, needs_names=bool(opened.view.search))
