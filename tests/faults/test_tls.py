"""Checks which certificates are accepted, on real TLS servers of the loopback interface."""

import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import certifi
import pytest
from pytestqt.qtbot import QtBot

from tests.faults.certificates import Authority
from tests.faults.conftest import HOST, QUESTION, FaultRig, honest_tokens
from tests.faults.usage_wire import KEY
from usage_viewer.__main__ import main
from usage_viewer.domain.admin_key import AdminKey
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.network_errors import TlsFailed

ADMIN = AdminKey.parse(KEY)
REFUSED = "The server's certificate was not accepted"

Trusting = Callable[[Path | None], None]


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Trusting:
    """A function that replaces the system's trust store by a file of certificates; None: an empty one."""

    def trust(file: Path | None) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(file or tmp_path / "none.pem"))
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))

    return trust


@pytest.fixture
def another(tmp_path: Path) -> Authority:
    """An authority that no trust store has."""
    directory = tmp_path / "another"
    directory.mkdir()
    return Authority(directory)


def check(rig: FaultRig, context: ssl.SSLContext) -> None:
    """Make one call to a server with this certificate. Raises UsageViewerError."""
    rig.server.context = context
    rig.server.listen()
    rig.profile().check_key(ADMIN)
    assert [request.headers["authorization"] for request in rig.server.requests] == [f"Bearer {KEY}"]


def test_authority_of_ca_file_is_trusted(rig: FaultRig, trusting: Trusting) -> None:
    trusting(None)
    check(rig, rig.authority.context(HOST))


def test_authority_in_system_trust_store_is_trusted(rig: FaultRig, another: Authority, trusting: Trusting) -> None:
    trusting(another.file)
    check(rig, another.context(HOST))


def test_ca_file_is_trusted_in_addition_to_system(rig: FaultRig, another: Authority, trusting: Trusting) -> None:
    trusting(another.file)
    check(rig, rig.authority.context(HOST))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a trust store")
def test_certifi_is_used_without_trust_store(
    rig: FaultRig, another: Authority, trusting: Trusting, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting(None)
    monkeypatch.setattr(certifi, "where", lambda: str(another.file))
    check(rig, another.context(HOST))


CERTIFICATES: dict[str, tuple[Callable[[Authority, Authority], ssl.SSLContext], str, str]] = {
    "self-signed": (lambda ours, other: ours.context(HOST, self_signed=True), "self-signed", "--ca-file"),
    "of an unknown authority": (lambda ours, other: other.context(HOST), "issuer", "--ca-file"),
    "of another host": (lambda ours, other: ours.context("elsewhere.test"), "usage.test", "base URL"),
    "of another address": (lambda ours, other: ours.context("127.0.0.1"), "usage.test", "base URL"),
    "expired": (lambda ours, other: ours.context(HOST, expired=True), "expired", "date and time"),
    "not valid yet": (lambda ours, other: ours.context(HOST, ahead=True), "not yet valid", "date and time"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_bad_certificate_is_refused(rig: FaultRig, another: Authority, qtbot: QtBot, name: str) -> None:
    make, detail, hint = CERTIFICATES[name]
    with pytest.raises(TlsFailed) as caught:
        check(rig, make(rig.authority, another))
    assert caught.value.title == REFUSED
    assert detail in caught.value.detail
    assert hint in caught.value.hint
    printed = rig.table()
    assert printed.status == 3
    assert printed.err.startswith(f"usage-viewer: {REFUSED} ({HOST}: ")
    rig.qtbot = qtbot
    window = rig.window()
    assert window.page.banner.error is not None
    assert window.page.banner.error.title == REFUSED
    assert rig.server.requests == []  # the key has not left this computer
    assert not rig.server.received
    assert rig.waits.seconds == []  # a further try would meet the same certificate


@pytest.fixture
def command(rig: FaultRig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    rig.server.context = rig.authority.context(HOST)
    rig.server.listen()
    url = f"https://{HOST}:{rig.server.port}/v1"
    return [*QUESTION, "--no-store", "--data-dir", str(tmp_path), "--base-url", url]


def test_command_line_accepts_ca_file(
    rig: FaultRig, command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(command) == 3
    assert REFUSED in capsys.readouterr().err
    assert main([*command, "--ca-file", str(rig.authority.file)]) == 0
    assert len(capsys.readouterr().out.splitlines()) > len(honest_tokens())


@pytest.mark.parametrize("text", [None, "", "no certificate\n"])
def test_ca_file_without_certificates_is_refused(
    rig: FaultRig, command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "company.pem"
    if text is not None:
        file.write_text(text)
    assert main([*command, "--ca-file", str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "The certificate file can't be used" in printed.err
    assert str(file) in printed.err
    assert rig.server.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_version_is_refused(rig: FaultRig, version: ssl.TLSVersion) -> None:
    context = rig.authority.context(HOST)
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        context.maximum_version = version
    with pytest.raises(UsageViewerError):
        check(rig, context)
    assert rig.server.requests == []
