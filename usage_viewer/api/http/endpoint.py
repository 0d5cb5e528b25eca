"""Where requests go: the base URL, the proxy on the way, and whose certificates are trusted."""

import ipaddress
import re
import ssl
import sys
import urllib.request
from pathlib import Path

import certifi
import httpx
import truststore

from usage_viewer.domain.errors import InputError

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")  # of an IPv6 address httpx gives the inside


def check_base_url(text: str) -> str:
    """The base URL without a slash at its end. https anywhere; http on this computer only.

    Raises InputError, which never quotes user info, for anything else.
    """
    try:
        url = httpx.URL(text.strip())
        host = url.host
        port = url.port
    except (httpx.InvalidURL, ValueError) as error:
        raise _unusable("it can't be read as a URL") from error
    if url.scheme not in ("http", "https") or not host:
        raise _unusable("it must begin with https:// and name a host")
    if not is_loopback(host) and not _HOST.fullmatch(url.raw_host.decode("ascii", "replace")):
        raise _unusable("its host has signs that no host's name has")
    if url.userinfo or "@" in text:
        raise _unusable("a user name or password in it is not supported")
    if "?" in text or "#" in text:
        raise _unusable("it must end with the path, without ? or #")
    if port is not None and not 0 < port < 65536:
        raise _unusable(f"there is no port {port}")
    if url.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"http://{host}",
            title="This base URL is not safe",
            hint="The key would travel unencrypted. Use https; plain http is for this computer only.",
        )
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether `host` is this computer itself: localhost, 127.0.0.0/8 or ::1."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment or the system names for `base_url`; never one for this computer itself."""
    url = httpx.URL(base_url)
    if is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """What certificates are checked against: the system's trust store, so that a company's own are known.

    `ca_file` (PEM) is trusted too. Raises InputError if it can't be used.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not _system_has_certificates():
        context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        _load(context, ca_file)
    return context


def check_ca_file(ca_file: Path) -> None:
    """Raises InputError unless there are certificates in PEM form in it."""
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_file)


def _load(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = "no certificate in it" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "")
        raise InputError(
            f"{ca_file}: {why or 'no certificate in it'}",
            title="The certificate file can't be used",
            hint="Give a file with certificates in PEM form.",
        ) from error


def _system_has_certificates() -> bool:
    """Whether there is a trust store to be asked; a small Linux may be without."""
    if sys.platform in ("darwin", "win32"):
        return True
    paths = ssl.get_default_verify_paths()  # names only what is there
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).glob("*.[0-9]")))


def _unusable(why: str) -> InputError:
    return InputError(why, title="This base URL can't be used", hint="Use a URL like https://api.openai.com/v1.")
