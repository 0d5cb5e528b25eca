"""Says which rows a copy or a file takes."""

from collections.abc import Sequence

from PySide6.QtCore import QLocale

Runs = Sequence[tuple[int, int]]
"""Selected rows as runs of shown rows: first and last, both included."""


def chosen_runs(selected: Runs) -> Runs:
    """Return the runs to copy; none, which stands for every row, unless several rows are selected.

    A click on a cell selects its row, but chooses nothing.
    """
    return selected if _count(selected) > 1 else ()


def chosen_text(runs: Runs, rows: int, locale: QLocale) -> str:
    """Return `all 46 rows`, `3 selected rows` or `1 row` for chosen runs of `rows` shown rows."""
    count = _count(runs)
    if not runs or count == rows:
        return f"all {locale.toString(rows)} rows" if rows != 1 else "1 row"
    return f"{locale.toString(count)} selected rows" if count > 1 else "1 row"


def _count(runs: Runs) -> int:
    return sum(last - first + 1 for first, last in runs)
