"""Reads workbooks (.xlsx) without the library that writes them."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@dataclass(frozen=True)
class SheetCell:
    """Holds a cell: a number or a text, and the code of its format."""

    value: float | str
    code: str
    bold: bool


def read_sheets(path: Path) -> dict[str, list[dict[str, SheetCell]]]:
    """Return the rows of each sheet by its name; a row has its cells by their column's letters."""
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
        names = [
            item.attrib["name"] for item in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{_NS}sheet")
        ]
        styles = _styles(ElementTree.fromstring(book.read("xl/styles.xml")))
        return {
            name: _rows(ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml")), styles)
            for number, name in enumerate(names, 1)
        }


def frozen_at(path: Path) -> str:
    """Return the first cell that scrolls in the first sheet, such as `B2`."""
    with zipfile.ZipFile(path) as book:
        (pane,) = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml")).iter(f"{_NS}pane")
    assert pane.attrib["state"] == "frozen"
    return pane.attrib["topLeftCell"]


_BUILT_IN = {"0": "General", "3": "#,##0", "4": "#,##0.00", "10": "0.00%", "49": "@"}


def _styles(root: ElementTree.Element) -> list[tuple[str, bool]]:
    codes = _BUILT_IN | {item.attrib["numFmtId"]: item.attrib["formatCode"] for item in root.iter(f"{_NS}numFmt")}
    fonts = [font.find(f"{_NS}b") is not None for font in root.iter(f"{_NS}font")]
    (formats,) = root.iter(f"{_NS}cellXfs")
    return [(codes[item.attrib["numFmtId"]], fonts[int(item.attrib["fontId"])]) for item in formats]


def _rows(root: ElementTree.Element, styles: list[tuple[str, bool]]) -> list[dict[str, SheetCell]]:
    assert not list(root.iter(f"{_NS}f")), "a formula"
    rows = []
    for row in root.iter(f"{_NS}row"):
        cells = {}
        for cell in row.iter(f"{_NS}c"):
            place = re.sub(r"\d", "", cell.attrib["r"])
            text = "".join(node.text or "" for node in cell.iter(f"{_NS}t"))
            number = cell.find(f"{_NS}v")
            value = float(number.text or "") if number is not None else text
            cells[place] = SheetCell(value, *styles[int(cell.attrib.get("s", "0"))])
        rows.append(cells)
    return rows
