"""Defines `ColumnChoice`, the figures that a user may choose as columns."""

from dataclasses import dataclass

from usage_viewer.domain.dataset import NO_EXTRAS, Extras
from usage_viewer.domain.view import ViewState


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """Holds what views of a dataset show without chosen columns, and unknown fields.

    Without `defaults`, and for views of another dataset, these are the default columns of the view's dataset.
    """

    dataset_name: str = ""
    defaults: tuple[str, ...] = ()
    extras: Extras = NO_EXTRAS

    def explicit(self, view: ViewState) -> ViewState:
        """Return the view with the columns that it shows as chosen ones, from which a user's choice goes on."""
        return view.with_columns(self.defaults) if self._shows_defaults(view) else view

    def shown(self, view: ViewState) -> tuple[str, ...]:
        """Return the names of the figures that the view shows."""
        return self.defaults if self._shows_defaults(view) else view.shown_columns

    def _shows_defaults(self, view: ViewState) -> bool:
        is_chosen = bool(view.columns) or view.pivot is not None
        return bool(self.defaults) and not is_chosen and view.dataset_name == self.dataset_name


USUAL = ColumnChoice()
