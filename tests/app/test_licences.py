"""Checks that every shipped package is listed with its licence."""

import re
from email.message import Message
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from usage_viewer.app.licences import licence, parts


def _installed() -> bool:
    try:
        distribution("usage-viewer")
    except PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not _installed(), reason="run from a folder without being installed")
def test_every_locked_package_of_this_system_is_listed() -> None:
    listed = {re.sub(r"[-_.]+", "-", part.name).lower() for part in parts()}
    requirements = distribution("usage-viewer").requires or []
    direct = {re.sub(r"[-_.]+", "-", re.split(r"[<>=;~! ]", text)[0]).lower() for text in requirements}
    for name in direct:
        try:
            distribution(name)
        except PackageNotFoundError:
            continue
        assert name in listed
    assert {"shiboken6", "certifi"} <= listed  # dependencies of the direct ones
    assert all(part.version for part in parts())
    assert all(part.licence for part in parts())


def test_a_program_that_is_not_installed_has_no_packages() -> None:
    assert parts("no-such-program-here") == []


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
def test_the_licence_comes_from_the_package_metadata(fields: list[tuple[str, str]], expected: str) -> None:
    metadata = Message()
    for name, value in fields:
        metadata[name] = value
    assert licence(metadata) == expected  # type: ignore[arg-type]
