"""Tests the origin of a base URL."""

import pytest

from usage_viewer.domain.origin import origin_of


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com"),
        ("HTTPS://API.OpenAI.com:443", "https://api.openai.com"),
        ("https://api.openai.com:8443/v1", "https://api.openai.com:8443"),
        ("http://localhost:80/", "http://localhost"),
        ("http://localhost:443/", "http://localhost:443"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("https://api.openai.com.evil.example/v1", "https://api.openai.com.evil.example"),
        ("https://api.openai.com@evil.example/v1", "https://evil.example"),
        ("", ""),
        ("nowhere", ""),
        ("https://example.org:99999", ""),
        ("http://[::1", ""),
    ],
)
def test_origin_is_scheme_host_and_port(base_url: str, origin: str) -> None:
    assert origin_of(base_url) == origin
