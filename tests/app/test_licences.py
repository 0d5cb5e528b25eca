"""Every shipped package is listed with its licence."""

import re
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from usage_viewer.app.licences import licence, list_components


def _installed() -> bool:
    try:
        distribution("usage-viewer")
    except PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not _installed(), reason="run from a folder without being installed")
def test_every_locked_package_of_this_system_is_listed() -> None:
    listed = {re.sub(r"[-_.]+", "-", part.name).lower() for part in list_components()}
    needed = distribution("usage-viewer").requires or []
    direct = {re.sub(r"[-_.]+", "-", re.split(r"[<>=;~! ]", text)[0]).lower() for text in needed}
    for name in direct:
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        assert name in listed
    assert {"shiboken6", "certifi"} <= listed  # indirect requirements
    assert all(part.version for part in list_components())
    assert all(part.licence for part in list_components())


def test_program_that_is_not_installed_has_no_components() -> None:
    assert list_components("no-such-program-here") == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([("License-Expression", "MIT"), ("License", "x")], "MIT"),
        ([("License", "BSD")], "BSD"),
        (
            [("License", "a whole\ntext"), ("Classifier", "License :: OSI Approved :: Apache License")],
            "Apache License",
        ),
        ([], "see the package"),
    ],
)
def test_licence_is_the_one_that_the_package_declares(fields: list[tuple[str, str]], expected: str) -> None:
    metadata = Message()
    for name, value in fields:
        metadata[name] = value
    assert licence(metadata) == expected  # type: ignore[arg-type]
