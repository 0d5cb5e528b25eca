"""Fetches what several views lack, one view after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from usage_viewer.app.fetch.fetcher import Fetcher
from usage_viewer.app.fetch.window_fetcher import Progress
from usage_viewer.domain.cancellation import Cancellation
from usage_viewer.domain.catalog import COSTS
from usage_viewer.domain.coverage import Refresh
from usage_viewer.domain.errors import Cancelled, UsageViewerError
from usage_viewer.domain.view import ViewState


def fetch_views(
    fetcher: Fetcher,
    views: Sequence[ViewState],
    cancellation: Cancellation,
    refresh: Refresh,
    asked: str,
) -> Iterator[Progress]:
    """Fetch what the views lack; yield each step, counted in requests of all of them.

    A dataset that the organization does not make available is left out, unless it is the `asked` one or the costs.
    Raises what `Fetcher.fetch` raises; the title then names a dataset that is not the `asked` one.
    """
    counts = [fetcher.count_requests(view, refresh=refresh) for view in views]
    done, total = 0, sum(counts)
    for view, count in zip(views, counts, strict=True):
        try:
            for step in fetcher.fetch(view, cancellation, refresh=refresh):
                yield replace(step, done=done + step.done, total=max(total, done + step.total))
        except Cancelled:
            raise
        except UsageViewerError as error:
            if view.dataset_name in (asked, COSTS.name) or view.dataset_name not in fetcher.unavailable:
                if view.dataset_name != asked:
                    error.title = f"{view.dataset.label}: {error.title}"
                raise
        done += count
