"""Defines `Pivot`: what is across the columns of a table, and which figure they show."""

from dataclasses import dataclass
from typing import Final

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
