"""Defines `Pivot`: what is across the columns of a table, and which figure they show."""

from dataclasses import dataclass, replace
from typing import Final

from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.view_parts import PERIOD

MOST_COLUMNS: Final = 60
"""The columns that a pivot has besides *Others* and the total."""


@dataclass(frozen=True, slots=True)
class Pivot:
    """Puts the periods of a view (`by` is `PERIOD`) or the values of a dimension across, for one figure.

    `shaded` colours each cell by its size.
    """

    by: str
    figure: str
    shaded: bool = False

    def supported_by(self, dataset: Dataset) -> "Pivot | None":
        """Return the pivot with a figure that another dataset has; None if it lacks the dimension."""
        if self.by != PERIOD and not dataset.has_dimension(self.by):
            return None
        return self if dataset.has_column(self.figure) else replace(self, figure=dataset.default_columns[0])
