"""Switches a view to another dataset, which keeps its own filters, order, columns, grouping and period."""

from collections.abc import Mapping
from dataclasses import replace

from usage_viewer.domain.dataset import Dataset
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import PERIOD


def switch_dataset(view: ViewState, name: str, last_views: Mapping[str, ViewState]) -> ViewState:
    """Return the view of the dataset `name`, with the range, zone, search and organizations of `view`.

    `last_views` are the last views by dataset. A dataset without one takes over what it supports from `view`.
    """
    own = last_views.get(name)
    if own is not None:
        own = own.across(view.profiles)
        return replace(own, range=view.range, zone=view.zone, search=view.search)
    return view.with_dataset(name)


def explain_switch(before: ViewState, after: ViewState) -> tuple[str, ...]:
    """Return a sentence for what `before` limits, groups or sorts by that `after`, of another dataset, doesn't."""
    sentences = (_unsupported_text(before, after.dataset), _own_filters_text(before, after))
    return tuple(sentence for sentence in sentences if sentence)


def _unsupported_text(before: ViewState, data: Dataset) -> str:
    """Return which filters, chosen dimensions and chosen sort keys of `before` the dataset lacks."""
    other = before.dataset
    filters = [item.dimension for item in before.filters if not data.has_dimension(item.dimension)]
    grouping = [name for name in before.grouping if not data.has_dimension(name)]
    grouping = [name for name in grouping if name not in other.default_grouping]
    chosen = [key.column.name for key in before.order if key not in before.default_order]
    order = [
        name for name in chosen if name != PERIOD and not data.has_dimension(name) and not data.has_column(name)
    ]
    parts = [_filters_text(other, filters)] if filters else []
    if grouping:
        parts.append(f"grouping by {_joined([_label(other, name) for name in grouping])}")
    if before.pivot is not None and before.pivot.by != PERIOD and not data.has_dimension(before.pivot.by):
        parts.append(f"columns by {_label(other, before.pivot.by)}")
    if order:
        parts.append(f"sorting by {_joined([_label(other, name) for name in order])}")
    if not parts:
        return ""
    text, several = _joined(parts), len(parts) > 1 or len(filters) > 1
    verb, returns = ("don't apply", "They come") if several else ("doesn't apply", "It comes")
    return f"{text[0].upper()}{text[1:]} {verb} to {data.label}. {returns} back with {other.label}."


def _own_filters_text(before: ViewState, after: ViewState) -> str:
    """Return which filters of `before` are not those of `after`, although its dataset supports them."""
    names = [item.dimension for item in before.filters if after.filter_on(item.dimension) != item]
    names = [name for name in names if after.dataset.has_dimension(name)]
    if not names:
        return ""
    text, verb = _filters_text(before.dataset, names), "are" if len(names) > 1 else "is"
    return f"{text} of {before.dataset.label} {verb} not used here: {after.dataset.label} keeps its own filters."


def _filters_text(data: Dataset, names: list[str]) -> str:
    """Return "Batch filter", or "Batch and Model filters"."""
    return f"{_joined([_label(data, name) for name in names])} {'filter' if len(names) == 1 else 'filters'}"


def _label(data: Dataset, name: str) -> str:
    return data.dimension(name).label if data.has_dimension(name) else data.column(name).label


def _joined(texts: list[str]) -> str:
    """Return the texts as a list in words: "a, b and c"."""
    return " and ".join(text for text in (", ".join(texts[:-1]), texts[-1]) if text)
