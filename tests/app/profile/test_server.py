"""Tests which server is chosen, and where the environment's key may go."""

import pytest

from usage_viewer.app.profile.server import Server, choose_server, recorded_server
from usage_viewer.domain.errors import InputError

A, B, C = "https://a.example/v1", "https://b.example/v1", "https://c.example/v1"
OPENAI = "https://api.openai.com"


@pytest.mark.parametrize(
    ("option", "variable", "recorded", "base_url", "named_by", "environment_server"),
    [
        (A, B, C, A, "--base-url", "https://a.example"),
        (None, B, C, B, "OPENAI_BASE_URL", "https://b.example"),
        (None, " ", C, C, "the settings", OPENAI),
        (None, "", "", f"{OPENAI}/v1", "", OPENAI),
        (f"{OPENAI}/v1", B, C, f"{OPENAI}/v1", "--base-url", OPENAI),
    ],
)
def test_option_wins_over_variable_and_settings(
    option: str | None, variable: str, recorded: str, base_url: str, named_by: str, environment_server: str
) -> None:
    server = choose_server(option, {"OPENAI_BASE_URL": variable}, recorded)
    assert server == Server(base_url, named_by)
    assert server.environment_server == environment_server
    assert bool(server.note) == (not base_url.startswith(OPENAI))
    assert named_by in server.note or not server.note


def test_unusable_base_url_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        choose_server(None, {"OPENAI_BASE_URL": "ftp://a.example"}, "")
    assert "OPENAI_BASE_URL" in caught.value.hint
    with pytest.raises(InputError):
        recorded_server("http://a.example")
    with pytest.raises(InputError):
        choose_server("", {}, A)


@pytest.mark.parametrize(
    ("recorded", "environment_server"),
    [
        ("https://eu.api.openai.com/v1", "https://eu.api.openai.com"),
        ("https://api.openai.com:443/v1", OPENAI),
        ("https://eu.api.openai.com:8443/v1", OPENAI),
        ("https://api.openai.com.evil.example/v1", OPENAI),
        ("https://evil-api.openai.com.example/v1", OPENAI),
        ("https://evilapi.openai.com/v1", OPENAI),
        ("https://a.b.api.openai.com/v1", OPENAI),
        ("https://eu.api.openai.com@evil.example/v1", OPENAI),
    ],
)
def test_settings_name_only_hosts_of_the_vendor_for_the_environments_key(
    recorded: str, environment_server: str
) -> None:
    try:
        assert recorded_server(recorded).environment_server == environment_server
    except InputError:  # a URL that is no base URL
        assert "@" in recorded
