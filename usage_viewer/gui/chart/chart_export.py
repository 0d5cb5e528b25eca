"""Draws a chart to a picture, an SVG file or a printer, with a title and where the numbers come from."""

import os
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QIODevice, QLocale, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontInfo,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPainter,
    QPalette,
)

from usage_viewer.app.chart import Chart, PictureOptions
from usage_viewer.app.export import provenance_of_result
from usage_viewer.app.profile.paths import PROGRAM
from usage_viewer.domain.names import Names
from usage_viewer.gui.chart.chart_colours import ChartColours
from usage_viewer.gui.chart.chart_face import Surface, face_of
from usage_viewer.gui.chart.chart_texts import ChartTexts
from usage_viewer.gui.widgets.theme import dark_palette

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

RATIO = 2
"""Pixels of a PNG file for each pixel of the chart."""
MARGIN = 16
SIZE = QSize(960, 420)


class PictureFormat(StrEnum):
    """Lists the formats of pictures."""

    PNG = "png"
    SVG = "svg"


@dataclass(frozen=True)
class ChartPicture:
    """Draws a chart with its title above and its source below; `surface` has the size of all of it."""

    texts: ChartTexts
    surface: Surface
    source: str

    @classmethod
    def of(cls, chart: Chart, names: Names, surface: Surface, locale: QLocale) -> "ChartPicture":
        """Return the picture of a chart; `names` are for the filters in the source."""
        surface = replace(surface, font=_sized(surface.font, 1))
        source = provenance_of_result(chart.result, names)
        return cls(ChartTexts(chart, locale), surface, source.text)

    @property
    def title(self) -> str:
        """The figure and what one bar is."""
        dataset = self.texts.chart.result.view.dataset.label
        return f"{dataset}: {self.texts.figure}, {self.texts.subtitle}"

    @property
    def description(self) -> str:
        """Range, filters, zone and source, and what is drawn differently from the table."""
        return ". ".join([self.source, *(note.rstrip(".") for note in self.texts.notes)])

    def png(self) -> bytes:
        """Return the picture as a PNG file with `RATIO` times the pixels."""
        image = self.image()
        image.setText("Title", self.title)
        image.setText("Description", self.description)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload] # the stubs want bytes, but PySide takes text only
        return bytes(buffer.data().data())

    def image(self) -> QImage:
        """Return the picture with `RATIO` times the pixels."""
        size = QSize(round(self.surface.width), round(self.surface.height))
        image = QImage(size * RATIO, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(RATIO)
        image.fill(self.surface.palette.color(QPalette.ColorRole.Base))
        painter = QPainter(image)
        self.paint(painter)
        painter.end()
        return image

    def svg(self) -> bytes:
        """Return the picture as an SVG file with a title and a description."""
        from PySide6.QtSvg import QSvgGenerator

        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(QSize(round(self.surface.width), round(self.surface.height)))
        generator.setViewBox(QRectF(0, 0, self.surface.width, self.surface.height))
        generator.setTitle(self.title)
        generator.setDescription(self.description)
        painter = QPainter(generator)
        painter.fillRect(
            QRectF(0, 0, self.surface.width, self.surface.height),
            self.surface.palette.color(QPalette.ColorRole.Base),
        )
        self.paint(painter)
        painter.end()
        return bytes(buffer.data().data())

    def print(self, printer: "QPrinter") -> None:
        """Print the picture as wide as the page."""
        painter = QPainter(printer)
        page = painter.viewport()
        painter.scale(page.width() / self.surface.width, page.width() / self.surface.width)
        self.paint(painter)
        painter.end()

    def render(self, form: PictureFormat) -> bytes:
        """Return the content of a file."""
        return self.svg() if form is PictureFormat.SVG else self.png()

    def paint(self, painter: QPainter) -> None:
        """Paint title, chart and source."""
        surface, colours = self.surface, ChartColours.of(self.surface.palette)
        small = _sized(surface.font, 0.85)
        title = _Line(painter, _sized(surface.font, 1.15, bold=True), self.title, surface)
        foot = [_Line(painter, small, text, surface) for text in (*self.texts.notes, self.source)]
        y = float(MARGIN)
        y = title.paint(y, colours)
        height = surface.height - y - sum(line.height for line in foot) - MARGIN * 1.5
        inner = replace(surface, width=surface.width - 2 * MARGIN, height=max(height, 40.0))
        painter.setFont(surface.font)
        painter.save()
        painter.translate(MARGIN, y + MARGIN / 2)
        face = face_of(self.texts, inner)
        if face is not None:
            face.paint(painter)
        else:
            painter.setPen(colours.muted)
            painter.drawText(QRectF(0, 0, inner.width, inner.height), Qt.AlignmentFlag.AlignCenter, self.problem)
        painter.restore()
        y += MARGIN / 2 + inner.height
        for line in foot:
            y = line.paint(y, colours)

    @property
    def problem(self) -> str:
        """Why there is nothing to draw."""
        return self.texts.chart.problem or "Nothing to draw"


class _Line:
    """A line of text over the width of the picture, cut where it ends."""

    def __init__(self, painter: QPainter, font: QFont, text: str, surface: Surface) -> None:
        self._painter, self._font, self._surface = painter, font, surface
        metrics = QFontMetricsF(font)
        self.height = metrics.height() + 2
        self._text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, surface.width - 2 * MARGIN)

    def paint(self, y: float, colours: ChartColours) -> float:
        """Paint the line at `y`; return the y below it."""
        self._painter.setFont(self._font)
        self._painter.setPen(colours.text)
        align = Qt.AlignmentFlag.AlignRight if self._surface.mirrored else Qt.AlignmentFlag.AlignLeft
        place = QRectF(MARGIN, y, self._surface.width - 2 * MARGIN, self.height)
        self._painter.drawText(
            place, align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, self._text
        )
        return y + self.height


def draw(chart: Chart, names: Names, options: PictureOptions) -> bytes:
    """Return the file of a chart's picture, drawn without a window or a display."""
    if sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QGuiApplication.instance() or QGuiApplication([PROGRAM])
    palette = dark_palette() if options.dark else QPalette(QColor("#efefef"))
    surface = Surface(options.width, options.height, QFont(), palette)
    picture = ChartPicture.of(chart, names, surface, QLocale()).render(PictureFormat(options.form))
    del application
    return picture


def _sized(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """Return the font with a size in pixels, which is the same on a printer, in SVG and on a screen."""
    sized = QFont(font)
    sized.setPixelSize(max(1, round(QFontInfo(font).pixelSize() * factor)))
    if bold:
        sized.setWeight(QFont.Weight.DemiBold)
    return sized
