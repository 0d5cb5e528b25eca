"""The keys that the demo server accepts, and the scopes of each."""

from typing import Final

from usage_viewer.demo.api.refusal import Refusal

ADMIN_KEY: Final = "sk-admin-demo-0000-reads-usage-and-names"
USAGE_ONLY_KEY: Final = "sk-admin-demo-0001-reads-usage-only"
NAMES_ONLY_KEY: Final = "sk-admin-demo-0002-reads-names-only"
"""These keys give access to the demo only, so they may be printed."""

USAGE_SCOPE: Final = "api.usage.read"
NAMES_SCOPE: Final = "api.management.read"
_SCOPES: Final = {
    USAGE_ONLY_KEY: frozenset({USAGE_SCOPE}),
    NAMES_ONLY_KEY: frozenset({NAMES_SCOPE}),
}


def check_access(authorization: str | None, key: str, scope: str) -> None:
    """Check that the Authorization header has `key`, which may read everything, or a key with `scope`.

    Raises Refusal with the status and text of the API: 401 for a missing or unknown key, 403 for a missing scope.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Refusal(
            401,
            "You didn't provide an API key. Provide it in an Authorization header using Bearer auth "
            "(Authorization: Bearer YOUR_KEY).",
        )
    if token == key or scope in _SCOPES.get(token, ()):
        return
    if token in _SCOPES or token.startswith("sk-proj-"):
        raise Refusal(
            403,
            f"You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you "
            "have the correct role in your organization and, if the key is restricted, that it has these scopes.",
            code="missing_scope",
        )
    # The API shows only the first and last characters of a wrong key.
    masked = f"{token[:8]}***{token[-4:]}" if len(token) > 16 else "***"
    raise Refusal(401, f"Incorrect API key provided: {masked}.", code="invalid_api_key")
