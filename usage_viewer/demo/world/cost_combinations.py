"""Numbers the combinations of dimensions that costs have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from usage_viewer.demo.world.directory import Directory
from usage_viewer.demo.world.planted_facts import CREDIT_LINE
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import API_DATASETS
from usage_viewer.domain.view_parts import Value

_NAMES: Final = tuple(dimension.name for dimension in API_DATASETS["costs"].dimensions)
_LINE_ITEM: Final = _NAMES.index("line_item")
WITHOUT_QUANTITY: Final = frozenset({CREDIT_LINE})
"""Line items whose quantities are null."""


class Currencies:
    """Tells which currency each project is billed in: the projects take turns through the given ones."""

    def __init__(self, directory: Directory, names: Sequence[str]) -> None:
        self.default = names[0]
        self._of_project = {
            project.id: names[number % len(names)] for number, project in enumerate(directory.projects)
        }

    def of(self, project_id: Value) -> str:
        """Return the currency of a project; the default one without a project."""
        return self._of_project.get(project_id or "", self.default)


@dataclass(frozen=True, slots=True)
class CostCombinations:
    """The combinations of dimensions that rows of costs refer to by number."""

    values: list[Combination]
    currencies: Currencies
    _numbers: dict[Combination, int]

    @classmethod
    def empty(cls, currencies: Currencies) -> "CostCombinations":
        """Return a record without combinations."""
        return cls([], currencies, {})

    def number(self, dimensions: Mapping[str, Value], line_item: str, unit: str | None) -> int:
        """Return the number of a combination; `dimensions` may have others than costs do, or lack some."""
        own = {
            **dimensions,
            "line_item": line_item,
            "quantity_unit": unit,
            "currency": self.currencies.of(dimensions.get("project_id")),
        }
        values = tuple(own.get(name) for name in _NAMES)
        if values not in self._numbers:
            self._numbers[values] = len(self.values)
            self.values.append(values)
        return self._numbers[values]


def has_quantity(values: Combination) -> bool:
    """Report whether rows with these dimensions of costs have a quantity, if they are grouped by line item."""
    return values[_LINE_ITEM] not in WITHOUT_QUANTITY
