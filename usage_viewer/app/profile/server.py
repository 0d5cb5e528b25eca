"""Chooses the server of the organization that the program starts with, and where the environment's key may go."""

from collections.abc import Mapping
from dataclasses import dataclass

from usage_viewer.app.fetch.api_source import OFFICIAL_URL
from usage_viewer.domain.errors import InputError
from usage_viewer.domain.origin import is_vendor_host, origin_of

OPTION, VARIABLE, SETTINGS = "--base-url", "OPENAI_BASE_URL", "the settings"


@dataclass(frozen=True, slots=True)
class Server:
    """Holds a checked base URL, and what named it: `OPTION`, `VARIABLE`, `SETTINGS`, or "" for OpenAI's own."""

    base_url: str = OFFICIAL_URL
    named_by: str = ""

    @property
    def environment_server(self) -> str:
        """Return the origin that the environment's key is for: OpenAI's, unless option or variable name one.

        A file alone names no other than OpenAI's own hosts.
        """
        server = origin_of(self.base_url)
        scheme, _, host = server.partition("://")
        named = self.named_by in (OPTION, VARIABLE) or (scheme == "https" and is_vendor_host(host))
        return server if named else origin_of(OFFICIAL_URL)

    @property
    def note(self) -> str:
        """Return a sentence that names a server other than OpenAI's; "" for OpenAI's."""
        server = origin_of(self.base_url)
        if server == origin_of(OFFICIAL_URL):
            return ""
        return f"The server is {server} (named by {self.named_by}), not {origin_of(OFFICIAL_URL)}."


def choose_server(option: str | None, environment: Mapping[str, str], recorded: str) -> Server:
    """Return the server that the option names, or else the environment, or else the organization's settings.

    Raises InputError for a base URL that can't be used.
    """
    variable = environment.get(VARIABLE, "").strip()
    if option is not None:
        return Server(_check(option), OPTION)
    if variable:
        try:
            return Server(_check(variable), VARIABLE)
        except InputError as error:
            error.hint = f"{error.hint} The text is in the environment variable {VARIABLE}."
            raise
    return recorded_server(recorded)


def recorded_server(base_url: str) -> Server:
    """Return the server in an organization's settings, "" for OpenAI's. Raises InputError."""
    return Server(_check(base_url), SETTINGS) if base_url else Server()


def _check(base_url: str) -> str:
    from usage_viewer.api import check_base_url

    return check_base_url(base_url)
