"""Reduces a base URL to its origin, the server that a key is given for."""

import re
from urllib.parse import urlsplit

_VENDOR_HOST = re.compile(r"(?:[a-z0-9-]+\.)?api\.openai\.com", re.IGNORECASE)
_DEFAULT_PORTS = {"https": 443, "http": 80}


def origin_of(base_url: str) -> str:
    """Return scheme, host and port of a checked base URL, such as `https://api.openai.com`.

    The default port is left out. Returns "" for a text that has no host or an invalid port.
    """
    try:
        parts = urlsplit(base_url)
        host, number = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    port = "" if number in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{number}"
    return f"{parts.scheme}://[{host}]{port}" if ":" in host else f"{parts.scheme}://{host}{port}"


def is_vendor_host(host: str) -> bool:
    """Report whether a host is OpenAI's own server or the one of a region, such as `eu.api.openai.com`."""
    return _VENDOR_HOST.fullmatch(host) is not None
