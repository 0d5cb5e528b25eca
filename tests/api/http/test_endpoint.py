import ssl
import urllib.request
from pathlib import Path

import pytest

from usage_viewer.api.http.endpoint import check_base_url, check_ca_file, find_proxy, is_loopback, make_ssl_context
from usage_viewer.domain.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        (" https://api.openai.com/v1/ ", "https://api.openai.com/v1"),
        ("https://api.openai.com", "https://api.openai.com"),
        ("HTTPS://API.OpenAI.com/v1//", "https://api.openai.com/v1"),
        ("https://gateway.example:8443/openai/v1", "https://gateway.example:8443/openai/v1"),
        ("http://localhost:8080/v1", "http://localhost:8080/v1"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:80/v1", "http://[::1]/v1"),
    ],
)
def test_valid_base_urls(text: str, expected: str) -> None:
    assert check_base_url(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.openai.com/v1",
        "ftp://api.openai.com",
        "https://",
        "https:///v1",
        "http://api.openai.com/v1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::2]",
        "https://user:secret-word@api.openai.com",
        "https://user@api.openai.com",
        "https://api.openai.com/v1?x=1",
        "https://api.openai.com/v1?",
        "https://api.openai.com/v1#x",
        "https://api.openai.com:0/",
        "https://api.openai.com:99999999/",
        "https://api.openai.com:port/",
        "https://exa mple.com",
        "https://[::1",
        "https://\x00",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_invalid_base_urls_are_rejected_without_showing_passwords(text: str) -> None:
    with pytest.raises(InputError) as caught:
        check_base_url(text)
    assert caught.value.title.startswith("This base URL")
    assert "https" in caught.value.hint
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "localhost.", "example.com", "128.0.0.1", "::2", "127.1"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_proxy_from_the_environment_is_not_used_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "plain.example:80")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert find_proxy("https://api.openai.com/v1") == "http://proxy.example:3128"
    assert find_proxy("http://other.example") == "http://plain.example:80"
    assert find_proxy("https://inside.example") is None
    assert find_proxy("http://localhost:8000") is None
    assert find_proxy("https://127.0.0.1") is None
    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv("all_proxy", "http://all.example:1")
    assert find_proxy("https://api.openai.com/v1") == "http://all.example:1"


def test_proxy_from_the_system_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the functions that read the settings of macOS and Windows if the environment names no proxy."""
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "https://proxy.corp:8443"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: host.endswith(".corp"))
    assert find_proxy("https://api.openai.com/v1") == "https://proxy.corp:8443"
    assert find_proxy("https://gateway.corp/v1") is None


def test_ssl_context_checks_certificates() -> None:
    context = make_ssl_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_invalid_certificate_files_are_rejected(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pem", tmp_path, tmp_path / "empty.pem"):
        if path.name == "empty.pem":
            path.write_text("nothing")
        for use in (make_ssl_context, check_ca_file):
            with pytest.raises(InputError) as caught:
                use(path)
            assert str(path) in caught.value.detail
