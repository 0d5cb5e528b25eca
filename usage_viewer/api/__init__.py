"""The network: one client of the Usage API, its pages as columns, its names. The only part that knows httpx."""

from usage_viewer.api.address import check_base_url, check_ca_file
from usage_viewer.api.client import Timeouts, UsageClient
from usage_viewer.api.decode import Page, decode_page
from usage_viewer.api.directory import fetch_names
from usage_viewer.api.fetch import check_key, fetch_window, probe_dimensions
from usage_viewer.api.narrowing import fetch_narrowing
from usage_viewer.api.retry import OnRetry, Retry, RetryPolicy

__all__ = [
    "OnRetry",
    "Page",
    "Retry",
    "RetryPolicy",
    "Timeouts",
    "UsageClient",
    "check_base_url",
    "check_ca_file",
    "check_key",
    "decode_page",
    "fetch_names",
    "fetch_narrowing",
    "fetch_window",
    "probe_dimensions",
]
