import ssl
import urllib.request
from pathlib import Path

import pytest

from usage_viewer.api.http.endpoint import check_base_url, check_ca_file, is_loopback, proxy_for, trust
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
def test_usable_base_urls(text: str, expected: str) -> None:
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
def test_other_base_urls_are_refused_without_quoting_secrets(text: str) -> None:
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


def test_the_proxy_comes_from_the_environment_but_never_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "plain.example:80")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for("https://api.openai.com/v1") == "http://proxy.example:3128"
    assert proxy_for("http://other.example") == "http://plain.example:80"
    assert proxy_for("https://inside.example") is None
    assert proxy_for("http://localhost:8000") is None
    assert proxy_for("https://127.0.0.1") is None
    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv("all_proxy", "http://all.example:1")
    assert proxy_for("https://api.openai.com/v1") == "http://all.example:1"


def test_the_proxy_comes_from_the_system_where_it_has_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What macOS and Windows answer stands in for them: Python asks them where the environment says nothing."""
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "https://proxy.corp:8443"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: host.endswith(".corp"))
    assert proxy_for("https://api.openai.com/v1") == "https://proxy.corp:8443"
    assert proxy_for("https://gateway.corp/v1") is None


def test_certificates_are_checked() -> None:
    context = trust(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_certificate_file_that_is_none(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pem", tmp_path, tmp_path / "empty.pem"):
        if path.name == "empty.pem":
            path.write_text("nothing")
        for use in (trust, check_ca_file):
            with pytest.raises(InputError) as caught:
                use(path)
            assert str(path) in caught.value.detail
