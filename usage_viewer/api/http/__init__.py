"""The authenticated HTTP client: its limits, retries and errors. The only importer of httpx."""

import sys

# httpx imports its own command line where rich, click and pygments are installed: 80 of its 150 ms, and never used.
if "httpx" not in sys.modules:
    sys.modules["httpx._main"] = None  # type: ignore[assignment] # httpx catches the ImportError that this causes
