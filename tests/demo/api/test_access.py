"""Tests which keys may read what."""

import pytest

from usage_viewer.demo.api.access import (
    ADMIN_KEY,
    NAMES_ONLY_KEY,
    NAMES_SCOPE,
    USAGE_ONLY_KEY,
    USAGE_SCOPE,
    check_access,
)
from usage_viewer.demo.api.refusal import Refusal


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        (ADMIN_KEY, USAGE_SCOPE),
        (ADMIN_KEY, NAMES_SCOPE),
        (USAGE_ONLY_KEY, USAGE_SCOPE),
        (NAMES_ONLY_KEY, NAMES_SCOPE),
    ],
)
def test_key_with_the_scope_is_accepted(key: str, scope: str) -> None:
    check_access(f"Bearer {key}", ADMIN_KEY, scope)
    check_access(f"bearer  {key} ", ADMIN_KEY, scope)


@pytest.mark.parametrize(
    ("key", "scope"),
    [(USAGE_ONLY_KEY, NAMES_SCOPE), (NAMES_ONLY_KEY, USAGE_SCOPE), ("sk-proj-abc", USAGE_SCOPE)],
)
def test_missing_scope_is_a_403_that_names_it(key: str, scope: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_access(f"Bearer {key}", ADMIN_KEY, scope)
    assert caught.value.status == 403
    assert scope in str(caught.value)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic abc"])
def test_missing_key_is_a_401(header: str | None) -> None:
    with pytest.raises(Refusal, match="didn't provide") as caught:
        check_access(header, ADMIN_KEY, USAGE_SCOPE)
    assert caught.value.status == 401


@pytest.mark.parametrize("key", ["sk-admin-wrong-but-long-enough-1234", "sk-svcacct-abc", "x"])
def test_wrong_key_is_a_401_that_masks_it(key: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_access(f"Bearer {key}", ADMIN_KEY, USAGE_SCOPE)
    assert (caught.value.status, caught.value.error["code"]) == (401, "invalid_api_key")
    assert key not in str(caught.value).split(": ")[1]


def test_admin_key_can_be_replaced() -> None:
    check_access("Bearer sk-admin-mine", "sk-admin-mine", USAGE_SCOPE)
    with pytest.raises(Refusal):
        check_access(f"Bearer {ADMIN_KEY}", "sk-admin-mine", USAGE_SCOPE)
