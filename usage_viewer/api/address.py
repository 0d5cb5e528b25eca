"""Where requests go: the base URL, the proxy on the way, and whose certificates are trusted."""

import ipaddress
import re
import ssl
import urllib.request
from pathlib import Path

import httpx

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
    """What certificates are checked against; `ca_file` (PEM) is trusted too. Raises InputError if it can't be."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise InputError(
                f"{ca_file}: {getattr(error, 'strerror', '') or 'no certificate in it'}",
                title="The certificate file can't be used",
                hint="Give a file with certificates in PEM form.",
            ) from error
    return context


def _unusable(why: str) -> InputError:
    return InputError(why, title="This base URL can't be used", hint="Use a URL like https://api.openai.com/v1.")
