"""The authenticated HTTP client: its limits, retries and errors. The only importer of httpx."""
