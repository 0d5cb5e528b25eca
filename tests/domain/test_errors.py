"""The docstrings show the class trees, and every error has a title and a hint."""

import re
from types import ModuleType

import pytest

from usage_viewer.domain import errors, network_errors
from usage_viewer.domain.errors import UsageViewerError

MODULES = (errors, network_errors)


def _tree(kind: type[UsageViewerError]) -> set[type[UsageViewerError]]:
    names = {module.__name__ for module in MODULES}
    return {kind}.union(*(_tree(sub) for sub in kind.__subclasses__() if sub.__module__ in names))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_docstring_matches_the_class_tree(module: ModuleType) -> None:
    drawn = re.findall(r"^([│ ]*[├└]── )(\w+)", module.__doc__ or "", re.MULTILINE)
    parents = ["UsageViewerError"]
    seen = {"UsageViewerError": ""}
    for lead, name in drawn:
        depth = len(lead) // 4
        parents[depth:] = [name]
        seen[name] = parents[depth - 1]
    real = {
        kind.__name__: kind.__mro__[1].__name__
        for kind in _tree(UsageViewerError)
        if kind.__module__ == module.__name__ and kind is not UsageViewerError
    }
    assert seen == {"UsageViewerError": "", **real}


def test_every_error_has_a_title_and_a_hint() -> None:
    for kind in _tree(UsageViewerError):
        error = kind("what the server answered")
        assert error.title
        assert error.hint.endswith((".", "!"))
        assert "what the server answered" in str(error)
        assert kind(title="T", hint="H.").title == "T"
