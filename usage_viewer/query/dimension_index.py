"""Numbers the combinations of a dataset's dimension values, for filters and grouping over small integers."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.names import Names
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import Value

LARGEST_KEY = 2**62
"""Group keys stay below this, so that they fit int64."""


class DimensionIndex:
    """Maps each combination of dimension values to an id, and each value of a dimension to a code.

    The combination `id` has the value `values(d)[codes[id, d]]` in dimension d. `codes` has the shape
    (combinations, dimensions). The index only grows. One thread at a time may add; others may read meanwhile:
    `codes` is replaced as a whole, after its values were added.
    """

    def __init__(self, dataset: Dataset, combinations: Iterable[Combination] = ()) -> None:
        self._dataset = dataset
        self._position = {dimension.name: index for index, dimension in enumerate(dataset.dimensions)}
        self._ids: dict[Combination, int] = {}
        self._code_of: list[dict[Value, int]] = [{} for _ in dataset.dimensions]
        self._values: list[list[Value]] = [[] for _ in dataset.dimensions]
        self.codes: NDArray[np.int32] = np.empty((0, len(dataset.dimensions)), np.int32)
        # A stored combination may occur twice, if a dimension that distinguished them was removed from the dataset:
        # both ids stay valid.
        self._append(list(combinations))

    def __len__(self) -> int:
        return len(self.codes)

    def add(self, combinations: Iterable[Combination]) -> NDArray[np.int32]:
        """Return the id of each combination, (n,); new combinations get the next ids."""
        new: list[Combination] = []
        ids: list[int] = []
        for combination in combinations:
            number = self._ids.get(combination)
            if number is None:
                number = self._ids[combination] = len(self.codes) + len(new)
                new.append(combination)
            ids.append(number)
        self._append(new)
        return np.array(ids, np.int32)

    def combinations(self, first: int = 0) -> list[Combination]:
        """Return the values of each combination, from the id `first` on."""
        return [self._decode(codes) for codes in self.codes[first:].tolist()]

    def find(self, combinations: Iterable[Combination]) -> NDArray[np.int32]:
        """Return the id of each combination, (n,); -1: it is not in the index."""
        return np.array([self._ids.get(combination, -1) for combination in combinations], np.int32)

    def has_dimension(self, dimension: str) -> bool:
        """Report whether the combinations have this dimension."""
        return dimension in self._position

    def values(self, dimension: str) -> tuple[Value, ...]:
        """Return all values of a dimension, by code."""
        return tuple(self._values[self._position[dimension]])

    def column(self, dimension: str) -> NDArray[np.int32]:
        """Return the code of each combination's value of a dimension, (combinations,)."""
        return self.codes[:, self._position[dimension]]

    def matching(self, view: ViewState, names: Names) -> NDArray[np.bool_]:
        """Return which combinations pass the view's filters and its search, (combinations,).

        The search compares names and ids of the dimensions of rows and columns, or of all if the view has none.
        """
        codes = self.codes
        matches = np.ones(len(codes), np.bool_)
        for chosen in view.filters:
            position = self._position.get(chosen.dimension, -1)
            if position < 0:
                continue  # an unknown field: this index doesn't distinguish its values
            passing = [chosen.passes(value) for value in self._values[position]]
            matches &= np.array(passing, np.bool_)[codes[:, position]]
        if text := view.search.strip():
            hits = np.zeros(len(codes), np.bool_)
            for name in [name for name in view.dimensions if name in self._position] or self._position:
                position, dimension = self._position[name], self._dataset.dimension(name)
                matching = [names.matches(dimension, value, text) for value in self._values[position]]
                hits |= np.array(matching, np.bool_)[codes[:, position]]
            matches &= hits
        return matches

    def groups(self, grouping: Sequence[str], matches: NDArray[np.bool_]) -> "Groups":
        """Numbers the groups of the combinations that match; `matches` is (combinations,)."""
        codes = self.codes[: len(matches)]
        chosen = np.flatnonzero(matches)
        key = np.zeros(len(chosen), np.int64)
        radix = 1
        for name in grouping:
            position = self._position[name]
            size = max(1, len(self._values[position]))
            if radix * size > LARGEST_KEY:
                _, key = np.unique(key, return_inverse=True)
                radix = len(key)
            key = key * size + codes[chosen, position]
            radix *= size
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        group_of = np.full(len(matches), -1, np.int32)
        group_of[chosen] = inverse
        return Groups(group_of, chosen[first])

    def _append(self, new: Sequence[Combination]) -> None:
        if not new:
            return
        for number, combination in enumerate(new, len(self.codes)):
            self._ids.setdefault(combination, number)
        rows = [[self._code(index, value) for index, value in enumerate(combination)] for combination in new]
        self.codes = np.concatenate([self.codes, np.array(rows, np.int32)])

    def _code(self, index: int, value: Value) -> int:
        codes = self._code_of[index]
        code = codes.setdefault(value, len(codes))
        if code == len(self._values[index]):
            self._values[index].append(value)
        return code

    def _decode(self, codes: Sequence[int]) -> Combination:
        return tuple(values[code] for values, code in zip(self._values, codes, strict=True))


class Groups:
    """Numbers groups of combinations.

    `group_of` (combinations,) is the group of each combination, -1 where it doesn't match; `example` (groups,) is
    the id of one combination of each group.
    """

    def __init__(self, group_of: NDArray[np.int32], example: NDArray[np.int64]) -> None:
        self.group_of, self.example = group_of, example

    def __len__(self) -> int:
        return len(self.example)

    def renumbered(self, order: NDArray[np.int64]) -> "Groups":
        """Return the same groups, numbered by their positions in `order`, (groups,)."""
        number = np.empty(len(order) + 1, np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        number[-1] = -1  # for combinations that don't match
        return Groups(number[self.group_of], self.example[order])
