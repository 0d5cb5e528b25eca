"""Defines what stands out in a chart: the bar under the pointer, the selected rows, a brushed range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Place:
    """Names a place in a chart: a bucket or an hour across, a series or a weekday down; None: all of them."""

    across: int | None = None
    down: int | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class Emphasis:
    """Says what stands out; everything else is dimmed.

    `pointed` is under the pointer, `cursor` is the place of the keyboard, shown while the chart has the focus.
    `brush` are the first and last bucket of a range that is being chosen. `selected` (g, n) marks the parts of
    bars whose rows are selected in the table; None: no row is.
    """

    pointed: Place = NOWHERE
    cursor: Place = NOWHERE
    brush: tuple[int, int] | None = None
    selected: NDArray[np.bool_] | None = None

    @property
    def dims(self) -> bool:
        """Whether anything stands out so that the rest is dimmed."""
        return self.pointed != NOWHERE or self.brush is not None or self.selected is not None
