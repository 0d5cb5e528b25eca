"""Implements `usage-viewer reconcile`, `prices` and `lines`, which load missing data and print a list."""

import argparse
import sys

import numpy as np

from usage_viewer.app.bill.line_items import line_item_table, list_line_items
from usage_viewer.app.bill.price_table import price_lines, price_table
from usage_viewer.app.bill.prices import list_prices
from usage_viewer.app.bill.reconciliation import reconcile_stored
from usage_viewer.app.bill.reconciliation_table import difference_table, summary_lines
from usage_viewer.app.export import Export
from usage_viewer.app.profile.profile import Profile
from usage_viewer.app.session.result import ViewResult
from usage_viewer.cli import table
from usage_viewer.domain.table import Table


def run(arguments: argparse.Namespace, profile: Profile) -> int:
    """Run a command that is about the bill, with the process's streams; return the exit status."""
    writers = {"reconcile": _write_differences, "prices": _write_prices, "lines": _write_line_items}
    return table.run(arguments, profile, writers[arguments.command])


def _write_differences(result: ViewResult, task: table.Printing) -> None:
    """Write the differences of the range, and say on standard error what was compared."""
    found = reconcile_stored(task.session, result.view)
    _write(difference_table(found), task)
    for line in summary_lines(found):
        task.err.write(f"{line}\n")


def _write_prices(result: ViewResult, task: table.Printing) -> None:
    """Write the prices of the range, and say on standard error how they come about."""
    found = list_prices(task.session, result.coverage.periods.span)
    _write(price_table(found), task)
    for line in price_lines(found):
        task.err.write(f"{line}\n")


def _write_line_items(result: ViewResult, task: table.Printing) -> None:
    """Write what the line items of the range mean."""
    found = list_line_items(task.session, result.coverage.periods.span)
    _write(line_item_table(found), task)
    if found.problem:
        task.err.write(f"{found.problem}\n")


def _write(rows: Table, task: table.Printing) -> None:
    table.write_export(Export(rows, np.arange(rows.rows, dtype=np.int64)), task, sys.stdout)
