"""Measures how long the window is blocked while it loads, decodes, regroups, sorts and copies."""

import threading
from collections.abc import Callable, Iterator, Mapping

from data import DATASET, DIMENSIONS, HeldBuckets, million
from lines import Line
from page import Page, page_of
from PySide6.QtCore import Qt
from regroup import COARSE, FINE
from select_copy import press
from window import BenchWindow, view_of

from usage_viewer.api.decode.page import decode_page
from usage_viewer.domain.catalog import dataset_named
from usage_viewer.domain.period import Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.domain.view_parts import SortKey

GOAL = 33.0
PAGE = 50
ROUNDS = 3


def measure() -> Iterator[Line]:
    held = million()
    page = page_of(PAGE)
    with BenchWindow(held) as window:
        for name, work in _works(window, held, page).items():
            worst = sorted(_longest(window, work) for _ in range(ROUNDS))[ROUNDS // 2]
            yield Line(f"longest block: {name}", worst, "ms", "", None, "≤ 33 ms", GOAL)


def _works(window: BenchWindow, held: HeldBuckets, page: Page) -> Mapping[str, Callable[[], None]]:
    finest = view_of(held, Granularity.HOUR, DIMENSIONS)

    def regroup() -> None:
        for case in (*COARSE, *FINE):
            _turn_until_shown(window, view_of(held, *case))

    def sort() -> None:
        for name in ("output_tokens", "user_id", "input_cached_share"):
            _turn_until_shown(window, finest.with_order((SortKey(name, True),)))

    def copy() -> None:
        done: list[str] = []
        connection = window.window.parts.copying.done.connect(done.append)
        press(window, Qt.Key.Key_A)
        press(window, Qt.Key.Key_C)
        window.until(lambda: bool(done))
        window.window.parts.copying.done.disconnect(connection)

    return {
        "load": lambda: _load(window),
        "decode 50 MB": lambda: _decode(window, page),
        "regroup, 12 views": regroup,
        "sort 1M": sort,
        "select and copy 1M": copy,
    }


def _longest(window: BenchWindow, work: Callable[[], None]) -> float:
    window.settle()
    with window.watched() as gaps:
        work()
    return max(gaps)


def _turn_until_shown(window: BenchWindow, view: ViewState) -> None:
    window.workspace.show_view(view)
    window.until(lambda: window.painted == view)


def _load(window: BenchWindow) -> None:
    """Open the store again and show a view that no cache has."""
    profile = window.workspace.profile
    assert profile is not None
    window.painted = None
    window.workspace.open(profile, window.workspace.view)
    window.until(lambda: window.painted is not None)


def _decode(window: BenchWindow, page: Page) -> None:
    """Decode in a worker, as a fetch does."""
    found: list[int] = []

    def work() -> None:
        batch = decode_page(page.body, dataset_named(DATASET), page.window, dataset_named(DATASET).group_by).batch
        found.append(int(batch.metrics["input_tokens"].values.sum()))

    worker = threading.Thread(target=work)
    worker.start()
    window.until(lambda: bool(found))
    worker.join()
    assert found == [page.input_tokens], "the sums differ"
