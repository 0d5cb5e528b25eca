"""Defines the errors of requests and responses, each with a title and a hint that tells the user what to do.

UsageViewerError
├── NetworkError            no response arrived
│   ├── HostNotFound        the host name has no address
│   ├── ConnectionFailed    the connection was refused, reset or interrupted
│   ├── ProxyFailed         the proxy refused or is unreachable
│   ├── TlsFailed           the server's certificate was not accepted
│   └── TimedOut            the response did not start, or did not go on, in time
│       └── ResponseTooSlow it went on, but did not end in time
├── ServerError             the server responded with an error (`status`: HTTP status)
│   ├── RateLimited         429, after all retries
│   ├── ServerFailed        408, 5xx, after all retries
│   ├── NotFound            404
│   ├── WrongServer         401 or 403: the organization is served from another host (`server`: its base URL)
│   ├── AddressNotAllowed   401 or 403: the organization allows other IP addresses only
│   ├── RequestRefused      400 and other 4xx (`param` names the parameter)
│   └── DemoFailed          the demo's server could not be started, or has ended
└── AnswerError             the response is unusable (`path`: JSON path of the problem)
    ├── NotJson             the response is not JSON
    ├── WrongShape          a required field is missing or has a wrong type or value
    ├── CursorError         the page cursor is missing or repeated
    ├── BucketError         a bucket was not requested or appears twice
    └── TooLarge            the response is larger than any valid one
"""

from usage_viewer.domain.errors import UsageViewerError


class NetworkError(UsageViewerError):
    """Base class of errors in which no response arrived."""

    default_title = "The server can't be reached"
    default_hint = "Check the network connection, then retry."


class HostNotFound(NetworkError):
    """Reports that the host name has no address."""

    default_title = "The server's name was not found"
    default_hint = "Check the network connection, the DNS settings and the base URL."


class ConnectionFailed(NetworkError):
    """Reports that the connection was refused, reset or interrupted."""

    default_title = "Connection failed"


class ProxyFailed(NetworkError):
    """Reports that the proxy refused the connection or is unreachable."""

    default_title = "The proxy can't be used"
    default_hint = "Check the proxy settings of the system or of the environment (HTTPS_PROXY)."


class TlsFailed(NetworkError):
    """Reports that the server's TLS certificate was not accepted."""

    default_title = "The server's certificate was not accepted"
    default_hint = (
        "If your company inspects network traffic, install its certificate in the system's trust store, or name "
        "the certificate's file with --ca-file."
    )


class TimedOut(NetworkError):
    """Reports that the response did not start, or did not end, in time."""

    default_title = "The server did not respond in time"
    default_hint = "Retry; data loaded so far is kept."


class ResponseTooSlow(TimedOut):
    """Reports a response that arrived byte by byte for as long as a whole response may take.

    Another attempt would take as long, so there is none.
    """

    default_title = "The server responds too slowly"
    default_hint = "Retry later, or choose a shorter range; data loaded so far is kept."


class ServerError(UsageViewerError):
    """Reports an HTTP error; `status` is its code, `param` the parameter that the server names."""

    default_title = "The server reported an error"

    def __init__(
        self,
        detail: str = "",
        *,
        status: int = 0,
        param: str = "",
        title: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.status = status
        self.param = param
        super().__init__(detail, title=title, hint=hint)


class RateLimited(ServerError):
    """Reports HTTP 429 after all retries."""

    default_title = "Too many requests"
    default_hint = "Wait a minute, then retry; data loaded so far is kept."


class ServerFailed(ServerError):
    """Reports HTTP 408 or 5xx after all retries."""

    default_title = "The server failed"
    default_hint = "Retry later; data loaded so far is kept."


class NotFound(ServerError):
    """Reports HTTP 404."""

    default_title = "Address not found"
    default_hint = "Base URLs usually end in /v1. Some organizations don't have every dataset."


class WrongServer(ServerError):
    """Reports that the organization is served from another host; `server` is its base URL, "" if unknown."""

    default_title = "The organization is served from another address"
    default_hint = "Set the server that OpenAI names for your organization. The key is not at fault."

    def __init__(
        self,
        detail: str = "",
        *,
        status: int = 0,
        server: str = "",
        title: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.server = server
        super().__init__(detail, status=status, title=title, hint=hint)


class AddressNotAllowed(ServerError):
    """Reports that the organization's list of allowed IP addresses lacks this computer's."""

    default_title = "The organization does not allow this computer's network address"
    default_hint = (
        "Use a network on the organization's list of allowed IP addresses, or ask an organization owner to add"
        " this one. The key is not at fault."
    )


class RequestRefused(ServerError):
    """Reports HTTP 400 and other 4xx; `param` names the parameter."""

    default_title = "The server refused the request"
    default_hint = "Change the range or the grouping, then retry."


class DemoFailed(ServerError):
    """Reports that the demo's server, a process of this program, could not be started or has ended."""

    default_title = "The demo could not be started"
    default_hint = "Retry. If it fails again, a security program may block local network connections."


class AnswerError(UsageViewerError):
    """Reports an unusable response; `path` is the JSON path of the problem."""

    default_title = "The server's response can't be used"
    default_hint = "Retry. If this happens again, the server or a proxy returns invalid responses."

    def __init__(
        self, detail: str = "", *, path: str = "", title: str | None = None, hint: str | None = None
    ) -> None:
        self.path = path
        super().__init__(f"{detail} (at {path})" if path else detail, title=title, hint=hint)


class NotJson(AnswerError):
    """Reports a response that is not JSON."""

    default_title = "The server's response is not JSON"
    default_hint = "A proxy or a log-in page may have responded instead. Check the base URL and the network."


class WrongShape(AnswerError):
    """Reports a required field that is missing or has a wrong type or value."""

    default_title = "The server's response has an unexpected structure"


class CursorError(AnswerError):
    """Reports a page cursor that is missing or repeated."""

    default_title = "The server's pages are out of sequence"


class BucketError(AnswerError):
    """Reports a bucket that was not requested or appears twice."""

    default_title = "The server returned buckets that were not requested"


class TooLarge(AnswerError):
    """Reports a response that is larger than any valid one."""

    default_title = "The server's response is too large"
