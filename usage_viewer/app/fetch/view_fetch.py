"""Fetches what several views lack, one view after the other."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from usage_viewer.app.fetch.fetcher import Fetcher
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.view import ViewState


def fetch_views(
    fetcher: Fetcher,
    views: Sequence[ViewState],
    cancellation: Cancellation,
    refresh: Refresh,
    required: Collection[str],
) -> Iterator[Progress]:
    """Fetch what the views lack; yield each step, counted in requests of all of them.

    A dataset that the organization does not make available is left out, unless it is `required`. Raises what
    `Fetcher.fetch` raises.
    """
    counts = [fetcher.count_requests(view, refresh=refresh) for view in views]
    done, total = 0, sum(counts)
    for view, count in zip(views, counts, strict=True):
        try:
            for step in fetcher.fetch(view, cancellation, refresh=refresh):
                yield replace(step, done=done + step.done, total=max(total, done + step.total))
        except UsageViewerError:
            if view.dataset_name in required or view.dataset_name not in fetcher.unavailable:
                raise
        done += count
