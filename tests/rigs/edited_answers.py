"""Edits the rows of the stand-in server's answers, to plant differences between bill and usage."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from usage_viewer.demo.server.faults import Fault, Faults
from usage_viewer.domain.catalog import DATASETS

Row = dict[str, Any]
EditRow = Callable[[str, Row], Row | None]
"""Returns a row of a day (such as 2026-11-05) as it is sent; None: it is left out."""


def edited(edits: Mapping[str, EditRow]) -> Faults:
    """Return faults that edit the rows of datasets, by name."""
    by_path = {DATASETS[name].path: edit for name, edit in edits.items()}

    def faults(request: Any) -> Fault | None:
        edit = by_path.get(request.path)
        return None if edit is None else Fault(edit=lambda page: _edited(page, edit))

    return faults


def _edited(page: Any, edit: EditRow) -> Any:
    for bucket in page.get("data", ()):
        day = datetime.fromtimestamp(bucket["start_time"], UTC).date().isoformat()
        rows = (edit(day, row) for row in bucket["results"])
        bucket["results"] = [row for row in rows if row is not None]
    return page


WITHOUT_USAGE = ("evals | ", "Vector storage", "complimentary daily tokens", "gpt-4.5-preview")
"""How the line items begin that bill no usage of the sample organization."""


def billed_usage_only(day: str, row: Row) -> Row | None:
    """Leave out the rows of costs that bill no usage."""
    return None if (row["line_item"] or "").startswith(WITHOUT_USAGE) else row
