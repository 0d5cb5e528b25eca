"""Windows whose answer is too large are asked for again in halves, down to a single bucket."""

from collections.abc import Callable, Iterator
from math import ceil, log2

from usage_viewer.domain.batch import Batch
from usage_viewer.domain.errors import TooLarge
from usage_viewer.domain.period import BucketRun

NOTICE = "An answer was too large; less is asked for at a time"


def fetch_narrowing(
    fetch: Callable[[BucketRun], Iterator[Batch]], window: BucketRun, on_notice: Callable[[str], None]
) -> Iterator[Batch]:
    """All that `fetch` brings of `window`; what had not come when an answer was too large, in halves.

    A bucket that is too large by itself is left out: TooLarge is raised at the end. It is raised at once after as
    many answers that were too large as two such buckets bring about: whoever sends them means no good.
    """
    todo = [window]
    left = 2 * (ceil(log2(window.buckets)) + 1)
    alone: TooLarge | None = None
    while todo:
        part = todo.pop()
        came: set[int] = set()
        try:
            for batch in fetch(part):
                came.update(batch.starts.tolist())
                yield batch
        except TooLarge as error:
            left -= 1
            rest = _rest(part, came)
            if not left or not rest.buckets:
                raise
            if rest.buckets == 1:
                alone = alone or error
            else:
                todo += _halves(rest)
                on_notice(NOTICE)
    if alone is not None:
        raise alone


def _rest(part: BucketRun, came: set[int]) -> BucketRun:
    """From the first bucket that did not come."""
    step = part.width.seconds
    first = next((start for start in range(part.start, part.end, step) if start not in came), part.end)
    return BucketRun(part.width, first, part.end)


def _halves(part: BucketRun) -> tuple[BucketRun, BucketRun]:
    """The later one first: the earlier one is taken from the end of the list before it."""
    middle = part.start + (part.buckets + 1) // 2 * part.width.seconds
    return BucketRun(part.width, middle, part.end), BucketRun(part.width, part.start, middle)
