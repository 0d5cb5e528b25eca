"""The module's docstring shows the class tree, and every error has a title and a hint."""

import re

from usage_viewer.domain import errors
from usage_viewer.domain.errors import UsageViewerError


def _tree(kind: type[UsageViewerError]) -> set[type[UsageViewerError]]:
    return {kind}.union(*(_tree(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__))


def test_docstring_matches_the_class_tree() -> None:
    drawn = re.findall(r"^([│ ├└─]*)(\w+)", errors.__doc__ or "", re.MULTILINE)[1:]
    parents: list[str] = []
    seen: dict[str, str] = {}
    for lead, name in drawn:
        depth = len(lead) // 4
        parents[depth:] = [name]
        seen[name] = parents[depth - 1] if depth else ""
    real = {
        kind.__name__: kind.__mro__[1].__name__ if kind is not UsageViewerError else ""
        for kind in _tree(UsageViewerError)
    }
    assert seen == real


def test_every_error_has_a_title_and_a_hint() -> None:
    for kind in _tree(UsageViewerError):
        error = kind("what the server answered")
        assert error.title
        assert error.hint.endswith((".", "!"))
        assert "what the server answered" in str(error)
        assert kind(title="T", hint="H.").title == "T"
