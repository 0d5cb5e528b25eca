"""Which keys the stand-in server knows, and what each may read."""

from typing import Final

from usage_viewer.demo.api.refusal import Refusal

ADMIN_KEY: Final = "sk-admin-demo-0000-reads-usage-and-names"
USAGE_ONLY_KEY: Final = "sk-admin-demo-0001-reads-usage-only"
NAMES_ONLY_KEY: Final = "sk-admin-demo-0002-reads-names-only"
"""Constants that open nothing but the demo: they may be printed."""

USAGE_SCOPE: Final = "api.usage.read"
NAMES_SCOPE: Final = "api.management.read"
_SCOPES: Final = {
    USAGE_ONLY_KEY: frozenset({USAGE_SCOPE}),
    NAMES_ONLY_KEY: frozenset({NAMES_SCOPE}),
}


def check_access(authorization: str | None, key: str, scope: str) -> None:
    """Raises the API's 401 or 403, unless the header carries `key`, or another key that has the scope."""
    scheme, _, sent = (authorization or "").strip().partition(" ")
    sent = sent.strip()
    if scheme.lower() != "bearer" or not sent:
        raise Refusal(
            401,
            "You didn't provide an API key. Provide it in an Authorization header using Bearer auth "
            "(Authorization: Bearer YOUR_KEY).",
        )
    if sent == key or scope in _SCOPES.get(sent, ()):
        return
    if sent in _SCOPES or sent.startswith("sk-proj-"):
        raise Refusal(
            403,
            f"You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you "
            "have the correct role in your organization and, if the key is restricted, that it has these scopes.",
            code="missing_scope",
        )
    # The beginning and the end only, as the API shows it.
    shown = f"{sent[:8]}***{sent[-4:]}" if len(sent) > 16 else "***"
    raise Refusal(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")
