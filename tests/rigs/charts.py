"""Opens sessions on stored usage for charts: a real store in memory, a clock that stands still, no source."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

from PySide6.QtCore import QLocale
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette

from tests.rigs.usage import batch_of
from usage_viewer.app.chart import Chart, ChartFace, ChartRequest, charted_figure, load_chart
from usage_viewer.app.session.store_session import StoreSession
from usage_viewer.domain.batch import Combination
from usage_viewer.domain.catalog import DATASETS
from usage_viewer.domain.date_range import DateRange
from usage_viewer.domain.period import BucketWidth
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.chart.chart_emphasis import Emphasis
from usage_viewer.gui.chart.chart_face import BarsFace, Surface
from usage_viewer.gui.chart.chart_texts import NOT_LOADED, ChartTexts
from usage_viewer.store import Store

ENGLISH = QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom)
OCTOBER = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
DAY = 86400
LATER = OCTOBER + 200 * DAY
"""A time at which all buckets of October are final."""

Values = Sequence[Sequence[int | Decimal | None]]


def days(first: int, last: int, *, month: int = 10) -> DateRange:
    """Return a range of days of a month of 2026, both included."""
    return DateRange.days(date(2026, month, first), date(2026, month, last))


def combination(dataset: str, **values: str | None) -> Combination:
    """Return a combination of dimensions; those that are not named are null."""
    return tuple(values.get(item.name) for item in DATASETS[dataset].dimensions)


def _group(dataset: str, number: int) -> Combination:
    dimension = {"costs": "line_item", "vector_stores": "project_id"}.get(dataset, "model")
    return combination(dataset, **{dimension: f"m{number}"}, **({"currency": "usd"} if dataset == "costs" else {}))


@contextmanager
def stored(
    values: Values,
    *,
    dataset: str = "completions",
    figure: str = "input_tokens",
    width: BucketWidth = BucketWidth.DAY,
    start: int = OCTOBER,
    skipped: Sequence[int] = (),
    now: int = LATER,
    fetched: int | None = None,
    **more: Values,
) -> Iterator[StoreSession]:
    """Open a session with buckets from `start` on: `values[bucket][group]` is the figure of the model `m<group>`.

    None is a figure that was not reported; a group that a bucket's list is too short for has no row there.
    `skipped` buckets are not stored. `more` are other figures of the same rows. Times are epoch seconds.
    """
    store = Store.open(None)
    names = {figure: values, **more}
    starts = [start + place * width.seconds for place in range(len(values)) if place not in skipped]
    rows = [
        (
            start + place * width.seconds,
            _group(dataset, group),
            {name: numbers[place][group] for name, numbers in names.items()},
        )
        for place in range(len(values))
        for group in range(len(values[place]) if place not in skipped else 0)
    ]
    store.put(batch_of(dataset, width, starts, rows), now if fetched is None else fetched)
    session = StoreSession(store, clock=lambda: now)
    try:
        yield session
    finally:
        session.close()


def put_hours(session: StoreSession, start: int, hours: int) -> None:
    """Store hours from `start` (epoch seconds) on with 5 input tokens of the model `m0` each, in addition."""
    starts = [start + place * 3600 for place in range(hours)]
    rows = [(moment, combination("completions", model="m0"), {"input_tokens": 5}) for moment in starts]
    session._store.put(batch_of("completions", BucketWidth.HOUR, starts, rows), LATER)


def chart_of(
    session: StoreSession,
    view: ViewState,
    figure: str = "",
    *,
    face: ChartFace = ChartFace.BARS,
    most_buckets: int = 400,
) -> Chart:
    """Return the chart of a view, as the window asks for it."""
    result = session.look(view)
    return load_chart(session, result, ChartRequest(charted_figure(view, figure), face, most_buckets))


def surface(width: int = 900, height: int = 260, *, dark: bool = False, mirrored: bool = False) -> Surface:
    """Return a surface in plain black on white, or the other way round."""
    palette = QPalette(QColor("#202124" if dark else "#efefef"))
    if dark:
        from usage_viewer.gui.widgets.theme import dark_palette

        palette = dark_palette()
    return Surface(width, height, QFont(), palette, mirrored)


class DrawnChart:
    """A chart of bars on a picture, with the colours at its places."""

    def __init__(
        self,
        chart: Chart,
        on: Surface | None = None,
        *,
        missing: str = NOT_LOADED,
        emphasis: Emphasis | None = None,
    ) -> None:
        self.surface = on or surface()
        self.texts = ChartTexts(chart, ENGLISH, missing)
        self.face = BarsFace(self.texts, self.surface)
        self.image = QImage(int(self.surface.width), int(self.surface.height), QImage.Format.Format_RGB32)
        self.image.fill(self.ground)
        painter = QPainter(self.image)
        painter.setFont(self.surface.font)
        self.face.paint(painter)
        if emphasis is not None:
            self.face.paint_emphasis(painter, emphasis)
        painter.end()

    @property
    def ground(self) -> QColor:
        """Returns the colour of the ground."""
        return self.surface.palette.color(QPalette.ColorRole.Base)

    @property
    def legend(self) -> list[str]:
        """Returns the texts of the legend."""
        return [entry.text for entry in self.face.layout.frame.legend]

    def height(self, bucket: int) -> int:
        """Return the pixels of a bucket's whole bar."""
        layout = self.face.layout
        return int((layout.bottom[:, bucket] - layout.top[:, bucket]).sum()) if len(layout.top) else 0

    def colours(self, bucket: int) -> dict[str, int]:
        """Return how many pixels of the bucket's whole column have each colour."""
        box, counts = self.face.layout.bucket_box(bucket, bucket), dict[str, int]()
        for x in range(int(box.x) + 1, int(box.right) - 1):
            for y in range(int(box.y), int(box.bottom)):
                name = self.image.pixelColor(x, y).name()
                counts[name] = counts.get(name, 0) + 1
        return counts

    def is_hatched(self, bucket: int) -> bool:
        """Report whether the upper end of a bucket's column, where no bar reaches, has a pattern."""
        box = self.face.layout.bucket_box(bucket, bucket)
        top = [
            self.image.pixelColor(x, y).name()
            for x in range(int(box.x) + 1, int(box.right) - 1)
            for y in range(int(box.y) + 2, int(box.y) + 10)
        ]
        other = sum(name != self.ground.name() for name in top)
        return other > len(top) * 0.06

    def say(self, bucket: int) -> str:
        """Return what a screen reader says about a bucket."""
        return self.texts.say(bucket, None)
