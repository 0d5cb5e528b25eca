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
        is_chosen = view.columns or view.pivot is not None or not self.defaults
        return view if is_chosen else view.with_columns(self.defaults)

    def shown(self, view: ViewState) -> tuple[str, ...]:
        """Return the names of the figures that the view shows."""
        return view.shown_columns if view.columns or view.pivot is not None or not self.defaults else self.defaults


USUAL = ColumnChoice()
