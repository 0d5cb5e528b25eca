"""Tests the limit of lists per minute and the errors of chosen paths."""

import pytest

from usage_viewer.demo.api.limits import Limits, parse_error
from usage_viewer.demo.api.refusal import Refusal


def test_each_kind_of_list_has_its_own_limit_per_minute() -> None:
    limits = Limits(2)
    for number in range(2):
        limits.check(f"/organization/projects/{number}/api_keys", 100)
        limits.check("/organization/usage/completions", 100)
        limits.check("/organization/users", 100)
    with pytest.raises(Refusal) as raised:
        limits.check("/organization/projects/9/api_keys", 119)
    assert (raised.value.status, raised.value.error["code"]) == (429, "rate_limit_exceeded")
    limits.check("/organization/projects/9/service_accounts", 119)
    limits.check("/organization/usage/completions", 119)
    limits.check("/organization/projects/9/api_keys", 120)


@pytest.mark.parametrize(
    ("text", "path", "status", "code", "message"),
    [
        ("/costs=404", "/costs", 404, None, "The request failed."),
        ("/completions=401:incorrect_hostname", "/completions", 401, "incorrect_hostname", "The request failed."),
        ("/users=403:x:Ask: an owner", "/users", 403, "x", "Ask: an owner"),
    ],
)
def test_error_of_a_path(text: str, path: str, status: int, code: str | None, message: str) -> None:
    limits = Limits(errors=dict([parse_error(text)]))
    with pytest.raises(Refusal) as raised:
        limits.check("/organization" + path, 0)
    error = raised.value.error
    assert (raised.value.status, error["code"], error["message"]) == (status, code, message)
    limits.check("/organization/other", 0)


@pytest.mark.parametrize("text", ["", "/costs", "/costs=", "=404", "/costs=200", "/costs=abc"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not PATH"):
        parse_error(text)
