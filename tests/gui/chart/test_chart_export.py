"""Tests pictures, drawings and prints of a chart, with their titles and sources."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QLocale
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtSvg import QSvgRenderer

from tests.rigs.charts import chart_of, days, stored, surface
from tests.rigs.window import WindowRig
from usage_viewer.app.chart import Chart, ChartFace, PictureOptions
from usage_viewer.domain.errors import ExportError
from usage_viewer.domain.names import Names
from usage_viewer.domain.period import BucketWidth, Granularity
from usage_viewer.domain.view import ViewState
from usage_viewer.gui.chart.chart_export import RATIO, ChartPicture, draw
from usage_viewer.gui.chart.chart_saving import ChartSaving, format_of, write_picture

pytestmark = pytest.mark.usefixtures("qapp")
VIEW = ViewState(range=days(1, 4), per=Granularity.DAY, columns=("input_tokens",)).only("model", "m<1>")
SVG = "{http://www.w3.org/2000/svg}"


def picture() -> ChartPicture:
    with stored([[5, 7]] * 4) as session:
        chart = chart_of(session, VIEW.without_filters().excluding("model", "m<1>"))
    return ChartPicture.of(chart, Names(), surface(), QLocale.c())


def test_png_has_twice_the_pixels_and_states_its_source() -> None:
    image = QImage.fromData(QByteArray(picture().png()))
    assert (image.width(), image.height()) == (900 * RATIO, 260 * RATIO)
    assert image.text("Title") == "Completions: Input, tokens per day, UTC"
    assert "2026-10-01 – 2026-10-04 UTC" in image.text("Description")
    assert "Model: not m<1>" in image.text("Description")


def test_svg_has_title_description_and_texts_as_text() -> None:
    root = ElementTree.fromstring(picture().svg())
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert title.text == "Completions: Input, tokens per day, UTC"
    assert description.text is not None
    for part in ("2026-10-01 – 2026-10-04", "UTC", "not m<1>", "loaded", "Complete: 4 days"):
        assert part in description.text
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert "m0" in texts
    assert any(text is not None and "Usage Viewer" in text for text in texts)


def test_svg_shows_the_same_bars_as_the_picture() -> None:
    drawn = picture()
    renderer = QSvgRenderer(QByteArray(drawn.svg()))
    assert renderer.isValid()
    image = QImage(900 * RATIO, 260 * RATIO, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    painted = drawn.image()
    same = sum(
        image.pixelColor(x, y) == painted.pixelColor(x, y) for x in range(0, 1800, 9) for y in range(0, 520, 9)
    )
    assert same > 0.95 * 200 * 58


def test_heat_map_and_unstackable_figures_are_drawn_too() -> None:
    view = ViewState(range=days(1, 7), per=Granularity.HOUR, columns=("input_tokens", "cached_share"))
    with stored([[5]] * 168, width=BucketWidth.HOUR) as session:
        charts = [
            chart_of(session, view, "input_tokens", face=ChartFace.HEAT_MAP),
            chart_of(session, view, "cached_share"),
        ]
    for chart in charts:
        made = ChartPicture.of(chart, Names(), surface(), QLocale.c())
        assert made.texts.notes[-1].rstrip(".") in made.description
        assert len(made.png()) > 5000


def test_print_fills_the_page(tmp_path: Path) -> None:
    path = tmp_path / "chart.pdf"
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(path))
    picture().print(printer)
    assert path.read_bytes().startswith(b"%PDF")
    assert len(path.read_bytes()) > 3000


@pytest.mark.parametrize("form", ["png", "svg"])
@pytest.mark.parametrize("dark", [False, True])
def test_chart_is_drawn_without_a_window(form: str, dark: bool) -> None:
    with stored([[5, 7]] * 4) as session:
        chart: Chart = chart_of(session, VIEW.without_filters())
    content = draw(chart, Names(), PictureOptions(form, 600, 300, dark))
    if form == "png":
        image = QImage.fromData(QByteArray(content))
        assert image.width() == 1200
        assert (image.pixelColor(2, 2).lightness() < 128) is dark
    else:
        assert re.search(rb'viewBox="0 0 600 300"', content)


def saving_of(rig: WindowRig) -> ChartSaving:
    window = rig.start()
    saving = window.parts.chart.saving
    assert saving is not None
    return saving


def test_copy_puts_a_picture_a_drawing_and_a_text_on_the_clipboard(rig: WindowRig) -> None:
    window = rig.start()
    window.commands.copy_chart.trigger()
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasImage()
    assert b"<svg" in bytes(data.data("image/svg+xml").data())
    assert "Completions: Input, tokens per day" in data.text()
    assert "Copied the chart" in window.page.status.text


def test_file_gets_the_format_of_its_ending(rig: WindowRig, tmp_path: Path) -> None:
    saving = saving_of(rig)
    chart = saving._controller.chart
    assert chart is not None
    for name, beginning in (("a.svg", b"<?xml"), ("b.PNG", b"\x89PNG"), ("c", b"\x89PNG")):
        with rig.qtbot.waitSignal(saving.done):
            saving.save(saving.picture(chart), tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(beginning)


def test_file_that_cannot_be_written_is_an_error_with_a_hint(rig: WindowRig, tmp_path: Path) -> None:
    saving = saving_of(rig)
    chart = saving._controller.chart
    assert chart is not None
    with rig.qtbot.waitSignal(saving.failed) as failed:
        saving.save(saving.picture(chart), tmp_path / "gone" / "a.svg")
    error = failed.args[0]
    assert isinstance(error, ExportError)
    assert error.title == "The folder is gone"
    window = rig.windows[-1]
    assert window.error is error


def test_ending_and_format() -> None:
    assert format_of(Path("a.SVG")) == "svg"
    assert format_of(Path("a.gif")) is None
    with pytest.raises(ExportError):
        write_picture(b"", Path("/"))
