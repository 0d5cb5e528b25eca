"""Reduces a base URL to its origin, the server that a key is given for."""

from urllib.parse import urlsplit

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
