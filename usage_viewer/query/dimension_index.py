"""`DimensionIndex`: a dataset's combinations of dimension values, as small integers, for filters and grouping."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import Dataset
from usage_viewer.domain.names import Names
from usage_viewer.domain.view import Value, ViewState

LARGEST_KEY = 2**62


class DimensionIndex:
    """Combination `id` has the value `values[d][codes[id, d]]` in dimension d.

    It only grows. One thread at a time may add; others may read meanwhile, for `codes` is replaced as a whole after
    the values that it speaks of are there.
    """

    def __init__(self, dataset: Dataset, known: Iterable[Combination] = ()) -> None:
        self._dataset = dataset
        self._place = {dimension.name: index for index, dimension in enumerate(dataset.dimensions)}
        self._ids: dict[Combination, int] = {}
        self._code_of: list[dict[Value, int]] = [{} for _ in dataset.dimensions]
        self._values: list[list[Value]] = [[] for _ in dataset.dimensions]
        self.codes: NDArray[np.int32] = np.empty((0, len(dataset.dimensions)), np.int32)
        # One that is there twice keeps both ids: a dimension that told them apart may be gone from the dataset.
        self._append(list(known))

    def __len__(self) -> int:
        return len(self.codes)

    def add(self, combinations: Iterable[Combination]) -> NDArray[np.int32]:
        """The id of each; those that are new get the next ones."""
        new: list[Combination] = []
        found: list[int] = []
        for combination in combinations:
            known = self._ids.get(combination)
            if known is None:
                known = self._ids[combination] = len(self.codes) + len(new)
                new.append(combination)
            found.append(known)
        self._append(new)
        return np.array(found, np.int32)

    def since(self, first: int) -> list[tuple[int, *tuple[Value, ...]]]:
        """The id and values of each combination from `first` on."""
        return [(first + row, *self._texts(codes)) for row, codes in enumerate(self.codes[first:].tolist())]

    def values(self, dimension: str) -> tuple[Value, ...]:
        """All values ever seen."""
        return tuple(self._values[self._place[dimension]])

    def column(self, dimension: str) -> NDArray[np.int32]:
        """For each combination the place of its value in `values`."""
        return self.codes[:, self._place[dimension]]

    def passing(self, view: ViewState, names: Names) -> NDArray[np.bool_]:
        """Which combinations the view's filters and its search let pass.

        The search looks at names and ids of the grouped dimensions, of all where nothing is grouped.
        """
        codes = self.codes
        passing = np.ones(len(codes), np.bool_)
        for chosen in view.filters:
            place = self._place.get(chosen.dimension, -1)
            if place < 0:
                continue  # an unknown field's: the caller has combinations without those
            passing &= np.array([chosen.passes(value) for value in self._values[place]], np.bool_)[codes[:, place]]
        if text := view.search.strip():
            found = np.zeros(len(codes), np.bool_)
            for name in [name for name in view.grouping if name in self._place] or self._place:
                place, dimension = self._place[name], self._dataset.dimension(name)
                hits = [names.matches(dimension, value, text) for value in self._values[place]]
                found |= np.array(hits, np.bool_)[codes[:, place]]
            passing &= found
        return passing

    def groups(self, grouping: Sequence[str], passing: NDArray[np.bool_]) -> "Groups":
        """Numbers the groups of those that pass."""
        codes = self.codes[: len(passing)]
        chosen = np.flatnonzero(passing)
        key = np.zeros(len(chosen), np.int64)
        radix = 1
        for name in grouping:
            place = self._place[name]
            size = max(1, len(self._values[place]))
            if radix * size > LARGEST_KEY:
                _, key = np.unique(key, return_inverse=True)
                radix = len(key)
            key = key * size + codes[chosen, place]
            radix *= size
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        of = np.full(len(passing), -1, np.int32)
        of[chosen] = inverse
        return Groups(of, chosen[first])

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

    def _texts(self, codes: Sequence[int]) -> tuple[Value, ...]:
        return tuple(values[code] for values, code in zip(self._values, codes, strict=True))


class Groups:
    """`of[c]`: the group of combination c, -1 where it doesn't pass; `example[g]`: a combination of group g."""

    def __init__(self, of: NDArray[np.int32], example: NDArray[np.int64]) -> None:
        self.of, self.example = of, example

    def __len__(self) -> int:
        return len(self.example)

    def in_order(self, order: NDArray[np.int64]) -> "Groups":
        """The same groups, numbered as they stand in `order`."""
        number = np.empty(len(order) + 1, np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        number[-1] = -1  # of what doesn't pass
        return Groups(number[self.of], self.example[order])
