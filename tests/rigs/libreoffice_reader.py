"""Opens files in a headless LibreOffice Calc and prints their cells as JSON; run it with a Python that has `uno`.

Arguments: the locale (`de-DE`), then files. For each file, prints its sheets as lists of rows. A cell is a list:
its type (EMPTY, VALUE, TEXT, FORMULA), its shown text, its number and the type of its format (see `_KINDS`).
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uno  # type: ignore[import-not-found]
from com.sun.star.beans import PropertyValue  # type: ignore[import-not-found]

_LOCALE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{}</value></prop></item>
</oor:items>"""  # noqa: E501
_KINDS = ((256, "text"), (2, "date"), (4, "time"), (64, "scientific"), (128, "fraction"), (16, "number"))
_FILTERS = {
    ".html": ("HTML (StarCalc)", ""),
    ".xlsx": ("Calc MS Excel 2007 XML", ""),
    # Separators, quotes, UTF-8, from line 1, the user's language, and numbers and dates are recognized.
    ".csv": ("Text - txt - csv (StarCalc)", "{},34,76,1,,0,false,true,false"),
    ".tsv": ("Text - txt - csv (StarCalc)", "9,34,76,1,,0,false,true,false"),
}


def main(locale: str, files: list[str]) -> None:
    """Print the cells of each file."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        Path(profile, "user").mkdir()
        Path(profile, "user", "registrymodifications.xcu").write_text(_LOCALE.format(locale))
        pipe = f"usage{os.getpid()}"
        office = subprocess.Popen(
            [
                "soffice",
                "--headless",
                "--norestore",
                f"-env:UserInstallation=file://{profile}",
                f"--accept=pipe,name={pipe};urp;",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            desktop = _connect(pipe)
            print(json.dumps([_read(desktop, Path(file)) for file in files]))
            with contextlib.suppress(Exception):  # the connection ends with the program
                desktop.terminate()
            office.wait(30)
        finally:
            office.kill()


def _connect(pipe: str) -> Any:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(600):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            break
        except Exception:  # noqa: BLE001 - not started yet
            time.sleep(0.1)
    return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)


def _read(desktop: Any, file: Path) -> list[list[list[list[Any]]]]:
    name, options = _FILTERS[file.suffix]
    separator = 59 if "semicolon" in file.name else 44
    properties = []
    for key, value in (("Hidden", True), ("FilterName", name), ("FilterOptions", options.format(separator))):
        item = PropertyValue()
        item.Name, item.Value = key, value
        properties.append(item)
    document = desktop.loadComponentFromURL(file.resolve().as_uri(), "_blank", 0, tuple(properties))
    try:
        return [_cells(document, sheet) for sheet in document.Sheets]
    finally:
        document.close(True)


def _cells(document: Any, sheet: Any) -> list[list[list[Any]]]:
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    area = cursor.RangeAddress
    return [
        [_cell(document, sheet.getCellByPosition(column, row)) for column in range(area.EndColumn + 1)]
        for row in range(area.EndRow + 1)
    ]


def _cell(document: Any, cell: Any) -> list[Any]:
    try:
        kind = document.NumberFormats.getByKey(cell.NumberFormat).Type
    except Exception:  # noqa: BLE001 - a format that was lost
        kind = 0
    name = next((name for bit, name in _KINDS if kind & bit), "lost" if not kind else "other")
    return [cell.Type.value, cell.String, cell.Value, name]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
