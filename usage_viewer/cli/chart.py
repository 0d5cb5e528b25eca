"""Implements `usage-viewer chart`: loads missing usage and writes a picture of it."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace

from usage_viewer.app.atomic_write import write_atomically
from usage_viewer.app.chart import Chart, ChartFace, ChartRequest, PictureOptions, charted_figure, load_chart
from usage_viewer.app.export.save import export_error
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.result import ViewResult
from usage_viewer.cli import table
from usage_viewer.cli.error_output import write_error
from usage_viewer.cli.picture_options import picture_options
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState

Draw = Callable[[Chart, Names, PictureOptions], bytes]
"""Draws a chart and returns the file. Passed in, since only `gui` may import Qt."""

PIXELS_PER_BUCKET = 3


def run(arguments: argparse.Namespace, profile: Profile, draw: Draw) -> int:
    """Run the command with the process's streams; return the exit status."""
    try:
        options = picture_options(arguments.output, arguments.size, arguments.colors)
    except InputError as error:
        write_error(error, sys.stderr)
        return table.BAD_ARGUMENTS
    heat_map = arguments.face == ChartFace.HEAT_MAP

    def adjust(view: ViewState) -> ViewState:
        per = Granularity.HOUR if heat_map else Granularity.DAY
        return replace(view, per=per) if heat_map or view.per is Granularity.TOTAL else view

    return table.run(
        arguments, profile, lambda result, task: _write(result, task, arguments, options, draw), adjust
    )


def _write(
    result: ViewResult,
    task: table.Printing,
    arguments: argparse.Namespace,
    options: PictureOptions,
    draw: Draw,
) -> None:
    """Draw the chart of a result and write its file. Raises InputError, ExportError."""
    figure = _figure(result.effective_view, arguments.figure)
    request = ChartRequest(
        figure, ChartFace(arguments.face), options.width // PIXELS_PER_BUCKET, named=arguments.names
    )
    chart = load_chart(task.session, result, request)
    if chart.problem:
        raise InputError(title="This can't be drawn", hint=chart.problem)
    content = draw(chart, task.session.names if arguments.names else Names(), options)
    try:
        write_atomically(arguments.output, [content])
    except OSError as error:
        raise export_error(error, arguments.output) from error


def _figure(view: ViewState, name: str) -> str:
    """Return the figure to draw: the named one, the sorted one, or the dataset's first. Raises InputError."""
    if name and not view.dataset.has_column(name):
        raise InputError(
            name,
            title=f"{view.dataset.label} has no figure called {name}",
            hint="Choose from: " + ", ".join(item.name for item in view.dataset.columns) + ".",
        )
    return name or charted_figure(view)
