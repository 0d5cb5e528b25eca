"""Defines the options that put periods or a dimension across the columns of a table."""

import argparse

from usage_viewer.domain.errors import InputError
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.pivot import Pivot
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD


def add_pivot_options(table: argparse.ArgumentParser) -> None:
    """Add the options of the command `table`."""
    table.add_argument(
        "--columns-by",
        metavar="PERIOD|NAME",
        help="have one figure in a column for each hour, day, week or month, or for each value of a dimension such "
        "as model (at most 60 columns, and Others); with totals. Leave it out of --group-by and --per",
    )
    table.add_argument(
        "--figure", metavar="NAME", help="with --columns-by: the figure (default: the dataset's first)"
    )


def with_columns_by(arguments: argparse.Namespace, view: ViewState) -> ViewState:
    """Return the view with the columns that the arguments name. Raises InputError."""
    if not hasattr(arguments, "columns_by"):
        return view  # a command whose figure is that of a chart
    by, figure = arguments.columns_by.strip(), arguments.figure.strip()
    if not by:
        if figure:
            raise InputError(figure, title="--figure needs --columns-by", hint="Use --metrics to choose figures.")
        return view
    if view.columns:
        raise InputError(
            arguments.metrics,
            title="A table with --columns-by has one figure",
            hint="Use --figure in place of --metrics.",
        )
    if by in (PERIOD, *Granularity):
        by, view = PERIOD, _with_period_columns(by, view)
    if by in view.grouping:
        raise InputError(by, title=f"{by} is in rows and in columns", hint="Leave it out of --group-by.")
    usual = [key.column.name for key in view.default_order]
    return view.with_pivot(Pivot(by, figure or next(iter((*usual, *view.dataset.default_columns)))))


def _with_period_columns(by: str, view: ViewState) -> ViewState:
    if by == PERIOD:
        return view
    if view.per not in (Granularity.TOTAL, by):
        raise InputError(
            by, title="Rows and columns can't have different periods", hint="Use either --per or --columns-by."
        )
    return view.with_per(Granularity(by))
