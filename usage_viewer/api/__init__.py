"""Reads usage, costs and names from the OpenAI Usage API. The only package that imports httpx."""

from usage_viewer.api.decode.page import Page, decode_page
from usage_viewer.api.http.client import ClientOptions, Timeouts, UsageClient
from usage_viewer.api.http.endpoint import check_base_url, check_ca_file
from usage_viewer.api.http.retry import OnRetry, Retry, RetryPolicy
from usage_viewer.api.names import fetch_names
from usage_viewer.api.usage import check_key, fetch_in_smaller_windows, fetch_window, probe_grouping

__all__ = [
    "ClientOptions",
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
    "fetch_in_smaller_windows",
    "fetch_names",
    "fetch_window",
    "probe_grouping",
]
