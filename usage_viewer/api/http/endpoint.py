"""Checks the base URL, finds the proxy, and loads the trusted certificates."""

import ipaddress
import os
import re
import ssl
import sys
import urllib.request
from pathlib import Path

import certifi
import httpx
import truststore

from usage_viewer.domain.errors import InputError

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")  # httpx returns an IPv6 address without brackets


def check_base_url(text: str) -> str:
    """Return the base URL without trailing slashes; https is allowed for any host, http for this computer only.

    Raises InputError for any other text; its message never contains a user name or password.
    """
    try:
        url = httpx.URL(text.strip())
        host = url.host
        port = url.port
    except (httpx.InvalidURL, ValueError) as error:
        raise _invalid("it is not a URL") from error
    if url.scheme not in ("http", "https") or not host:
        raise _invalid("it must begin with https:// and name a host")
    if not is_loopback(host) and not _HOST.fullmatch(url.raw_host.decode("ascii", "replace")):
        raise _invalid("its host name has invalid characters")
    if url.userinfo or "@" in text:
        raise _invalid("a user name or password in it is not supported")
    if "?" in text or "#" in text:
        raise _invalid("it must end with the path, without ? or #")
    if port is not None and not 0 < port < 65536:
        raise _invalid(f"{port} is not a port number")
    if url.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"http://{host}",
            title="This base URL is not secure",
            hint="The key would be sent unencrypted. Use https; http is allowed for this computer only.",
        )
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether `host` is this computer itself: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def find_proxy(base_url: str) -> str | None:
    """Return the proxy URL for `base_url` from the environment or the system settings.

    Returns None if there is no proxy, and always for a server on this computer.
    """
    url = httpx.URL(base_url)
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def proxy_variable(base_url: str) -> str:
    """Return the name of the environment variable that names the proxy, or "the system's proxy setting".

    As in `urllib`: a name in lower case counts before any other spelling, and switches these off if it is empty.
    """
    for wanted in (f"{httpx.URL(base_url).scheme}_proxy", "all_proxy"):
        if wanted in os.environ:
            if os.environ[wanted]:
                return wanted
            continue
        for name, value in os.environ.items():
            if name.lower() == wanted and value:
                return name
    return "the system's proxy setting"


def make_ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a TLS context that checks certificates against the system's trust store.

    The system's store also contains a company's own certificates. certifi's certificates are added if the system
    has none. `ca_file` (PEM) is trusted in addition. Raises InputError if `ca_file` can't be read.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not _system_has_certificates():
        context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        _load_certificates(context, ca_file)
    return context


def check_ca_file(ca_file: Path) -> None:
    """Check that `ca_file` contains certificates in PEM format. Raises InputError."""
    _load_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_file)


def _load_certificates(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = "" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "")
        raise InputError(
            f"{ca_file}: {reason or 'it contains no certificate'}",
            title="The certificate file can't be used",
            hint="Choose a file with certificates in PEM format.",
        ) from error


def _system_has_certificates() -> bool:
    """Return whether the system has a trust store; a minimal Linux may have none."""
    if sys.platform in ("darwin", "win32"):
        return True
    paths = ssl.get_default_verify_paths()  # contains existing paths only
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).glob("*.[0-9]")))


def _invalid(reason: str) -> InputError:
    return InputError(reason, title="This base URL can't be used", hint="Use a URL like https://api.openai.com/v1.")
