"""Defines `ColumnChoice`, the figures that a user may choose as columns."""

from dataclasses import dataclass

from usage_viewer.domain.dataset import NO_EXTRAS, Extras
from usage_viewer.domain.view import ViewState


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Holds what a view shows without chosen columns (empty: the dataset's default columns), and unknown fields."""

    defaults: tuple[str, ...] = ()
    extras: Extras = NO_EXTRAS

    def explicit(self, view: ViewState) -> ViewState:
        """Return the view with the columns that it shows as chosen ones, from which a user's choice goes on."""
        return view if view.columns or not self.defaults else view.with_columns(self.defaults)

    def shown(self, view: ViewState) -> tuple[str, ...]:
        """Return the names of the figures that the view shows."""
        return view.columns or self.defaults or view.dataset.default_columns


USUAL = ColumnChoice()
