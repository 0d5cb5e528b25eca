"""What is copied and saved: the rows that are chosen, in every format, harmless whatever the names are."""

import csv
import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit

from tests.rigs.window import Oracle, User, WindowRig, WindowUnderTest, below
from tests.rigs.workbook_reader import read_sheets
from usage_viewer.app.export import Format
from usage_viewer.demo.server.faults import Fault, Request

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
AWFUL = (
    '=HYPERLINK("http://evil","x")',
    "<img src=x onerror=alert(1)>",
    "tab\there",
    "@SUM(A1)",
    "-1+1",
    'a "b", c',
)


def _awful_names(request: Request) -> Fault | None:
    """Projects get names that a spreadsheet would run, a browser would render, or a table would trip over."""
    if not request.path.endswith("/organization/projects"):
        return None

    def edit(answer: Any) -> Any:
        for number, project in enumerate(answer["data"]):
            project["name"] = AWFUL[number % len(AWFUL)] + str(number // len(AWFUL) or "")
        return answer

    return Fault(edit=edit)


def _copy(rig: WindowRig, window: WindowUnderTest, act: Callable[[], object]) -> str:
    with rig.qtbot.waitSignal(window.copying.done):
        act()
    return QApplication.clipboard().text()


def _flavour(name: str) -> str:
    return bytes(QApplication.clipboard().mimeData().data(name).data()).decode()


def test_copy_takes_selected_rows_or_all(rig: WindowRig, user: User) -> None:
    window = rig.start()
    table, model = window.page.table, window.page.model
    table.setFocus()
    user.key(Qt.Key.Key_Home, CTRL)
    user.key(Qt.Key.Key_Down)
    user.key(Qt.Key.Key_Down, SHIFT)
    lines = _copy(rig, window, lambda: user.key(Qt.Key.Key_C, CTRL)).splitlines()
    assert [line.split("\t")[0] for line in lines] == [
        "Model",
        *(str(model.index(row, 0).data()) for row in (1, 2)),
    ]
    assert "Copied 2 rows" in window.page.status.text
    table.clearSelection()
    every = _copy(rig, window, lambda: user.click(window.page._buttons["copy"])).splitlines()
    assert len(every) == model.rowCount() + 1
    window.commands.abbreviated.setChecked(True)
    assert _copy(rig, window, lambda: user.click(window.page._buttons["copy"])).splitlines() == every


def test_click_on_a_cell_chooses_nothing(rig: WindowRig, user: User) -> None:
    window = rig.start()
    table, model = window.page.table, window.page.model
    button, count = window.page._buttons["copy"], model.rowCount()
    every = f"Copy all {count} rows"
    assert button.accessibleName() == every
    rig.qtbot.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(model.index(1, 1)).center()
    )
    assert table.selected_rows() == [(1, 1)]
    assert len(_copy(rig, window, lambda: user.key(Qt.Key.Key_C, CTRL)).splitlines()) == count + 1
    assert button.accessibleName() == every
    user.key(Qt.Key.Key_Down, SHIFT)
    rig.qtbot.waitUntil(lambda: button.accessibleName() == "Copy 2 selected rows")
    assert window.commands.save.text() == "&Save 2 selected rows as…"
    user.key(Qt.Key.Key_Escape)
    rig.qtbot.waitUntil(lambda: button.accessibleName() == every)
    assert table.selected_rows() == []
    assert table.currentIndex().isValid()


def test_copy_with_totals(rig: WindowRig, user: User, oracle: Oracle) -> None:
    window = rig.start()
    window.page.table.setFocus()
    sums = oracle.sums(window.workspace.view)
    *rows, total = _copy(rig, window, lambda: user.key(Qt.Key.Key_T, CTRL | SHIFT)).splitlines()
    assert total.split("\t")[0] == f"Total of {len(rows) - 1} rows"
    assert int(total.split("\t")[2]) == sum(one["input_tokens"] or 0 for one in sums.values())
    assert total.split("\t")[2] in _flavour("text/html")


def test_copy_of_a_cell_is_its_bare_value(rig: WindowRig, user: User) -> None:
    rig.server.faults = _awful_names
    window = rig.start()
    view = window.workspace.view.with_grouping(["project_id"])
    rig.settle(window, lambda: window.workspace.show_view(view))
    table, model = window.page.table, window.page.model
    table.setFocus()
    place = model.section("input_tokens")
    table.setCurrentIndex(model.index(0, place))
    exact = model.table.figure("input_tokens").value(int(model.rows[0]))
    assert _copy(rig, window, lambda: user.key(Qt.Key.Key_C, CTRL | SHIFT)) == str(exact)
    assert QApplication.clipboard().mimeData().formats() == ["text/plain"]
    names = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
    formula = next(row for row, name in enumerate(names) if name.startswith("=HYPERLINK"))
    table.setCurrentIndex(model.index(formula, 0))
    assert _copy(rig, window, lambda: user.key(Qt.Key.Key_C, CTRL | SHIFT)) == names[formula]
    assert 'sdnum="1033;0;@">=HYPERLINK' in _flavour("text/html")


def test_workbook_of_the_selected_rows(rig: WindowRig, user: User, tmp_path: Path) -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window = rig.start()
    table, model = window.page.table, window.page.model
    table.setFocus()
    user.key(Qt.Key.Key_Home, CTRL)
    user.key(Qt.Key.Key_Down, SHIFT)
    seen: list[str] = []

    def fill() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        line = dialog.findChildren(QLineEdit, "fileNameEdit")[0]
        seen.extend([dialog.windowTitle(), line.text(), dialog.selectedNameFilter()])
        line.setText(str(tmp_path / "two"))
        rig.qtbot.keyClick(line, Qt.Key.Key_Return)

    QTimer.singleShot(200, window, fill)
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_S, CTRL)
    assert seen[0] == "Save 2 selected rows"
    assert seen[1].endswith(".xlsx")
    assert seen[2] == "Excel workbook with totals (*.xlsx)"
    sheets = read_sheets(tmp_path / "two.xlsx")
    _, *rows, total = sheets["Usage"]
    column = model.section("input_tokens")
    exact = [int(model.table.figure("input_tokens").value(int(model.rows[row])) or 0) for row in (0, 1)]
    letter = "ABCDEFGH"[column]
    assert [row[letter].value for row in rows] == exact
    assert total["A"].value == "Total of 2 selected rows"
    assert total[letter].value == sum(exact)
    assert any(row["B"].value == "Completions" for row in sheets["Source"])


def test_copy_as_each_format(rig: WindowRig, user: User, oracle: Oracle) -> None:
    window = rig.start()
    sums = oracle.sums(window.workspace.view)
    tsv = _copy(rig, window, lambda: _copy_as(user, window, "TSV without headers"))
    rows = list(csv.reader(io.StringIO(tsv), "excel-tab"))
    assert {(row[0],): int(row[2]) for row in rows} == {key: one["input_tokens"] for key, one in sums.items()}
    comma = list(csv.reader(io.StringIO(_copy(rig, window, lambda: _copy_as(user, window, "CSV without headers")))))
    assert comma == rows
    markdown = _copy(rig, window, lambda: _copy_as(user, window, "Markdown")).splitlines()
    assert markdown[0].startswith("| Model")
    assert len(markdown) == len(rows) + 2
    listed = json.loads(_copy(rig, window, lambda: _copy_as(user, window, "JSON (raw numbers, ids)")))
    assert {(one["model"],): one["input_tokens"] for one in listed} == {
        key: one["input_tokens"] for key, one in sums.items()
    }


def _copy_as(user: User, window: WindowUnderTest, text: str) -> None:
    """Through the ⋯ menu, with the mouse."""
    more = window.page._buttons["more"]

    def pick() -> None:
        outer = user.menu
        inner = below(outer, "Export", "Copy as")
        outer.setActiveAction(inner.menuAction())
        inner.popup(outer.pos())
        user.pick(text, inner)
        outer.close()

    QTimer.singleShot(50, window, pick)
    user.click(more)


def test_source_line_comes_first(rig: WindowRig, user: User) -> None:
    window = rig.start()
    rig.settle(window, lambda: window.workspace.show_view(window.workspace.view.only("model", "o5")))
    _toggle_provenance(user, window)
    first, *rest = _copy(rig, window, lambda: user.click(window.page._buttons["copy"])).splitlines()
    assert first.startswith("# Usage Viewer · Completions · ")
    assert "UTC" in first
    assert "Model: o5" in first
    assert "loaded" in first
    assert rest[0].startswith("Model\t")


def _toggle_provenance(user: User, window: WindowUnderTest) -> None:
    with user.rig.qtbot.waitSignal(window.commands.provenance.toggled):
        window.commands.provenance.trigger()


def test_hostile_names_are_escaped(rig: WindowRig, user: User) -> None:
    rig.server.faults = _awful_names
    window = rig.start()
    view = window.workspace.view.with_grouping(["project_id"])
    rig.settle(window, lambda: window.workspace.show_view(view))
    shown = {str(window.page.model.index(row, 0).data()) for row in range(window.page.model.rowCount())}
    assert any(name.startswith("=HYPERLINK") for name in shown)
    _copy(rig, window, lambda: user.click(window.page._buttons["copy"]))
    for text, kind in ((_flavour("text/plain"), "excel-tab"), (_flavour("text/csv"), "excel")):
        cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""), kind)][1:]
        assert len(cells) == len(shown)
        assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
        assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    html = _flavour("text/html")
    assert "<img" not in html
    assert "&lt;img src=x" in html
    table = window.page.table
    table.setFocus()
    user.key(Qt.Key.Key_Home, CTRL)
    for row in range(window.page.model.rowCount()):
        tip = str(window.page.model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole))
        assert "<img" not in tip


@pytest.mark.parametrize(
    ("suffix", "check"),
    [
        (".tsv", lambda text: text.startswith("Model\t")),
        (".csv", lambda text: text.startswith("Model,")),
        (".md", lambda text: text.startswith("| Model")),
        (".json", lambda text: "input_tokens" in json.loads(text)[0]),
    ],
)
def test_save_dialog_writes_each_format(
    rig: WindowRig, user: User, tmp_path: Path, suffix: str, check: Callable[[str], bool]
) -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window = rig.start()
    target = tmp_path / f"saved{suffix}"
    proposed: list[str] = []

    def fill() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        line = dialog.findChildren(QLineEdit, "fileNameEdit")[0]
        proposed.append(line.text())
        line.setText(str(target))
        rig.qtbot.keyClick(line, Qt.Key.Key_Return)

    QTimer.singleShot(200, window, fill)
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_S, CTRL)
    text = target.read_text(encoding="utf-8-sig")
    assert check(text)
    assert f"saved{suffix}" in window.page.status.text
    assert proposed[0].startswith("completions-20")
    assert "UTC" in proposed[0]
    assert date.fromisoformat(proposed[0].split("-", 1)[1][:10]).year > 2000
    assert list(tmp_path.glob("saved*")) == [target]


def test_format_chosen_in_the_dialog_sets_the_ending(rig: WindowRig, user: User, tmp_path: Path) -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window = rig.start()

    def fill() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        kinds = dialog.findChildren(QComboBox, "fileTypeCombo")[0]
        at = next(place for place in range(kinds.count()) if "JSON" in kinds.itemText(place))
        kinds.setCurrentIndex(at)
        kinds.activated.emit(at)
        line = dialog.findChildren(QLineEdit, "fileNameEdit")[0]
        line.setText(str(tmp_path / "plain"))
        rig.qtbot.keyClick(line, Qt.Key.Key_Return)

    QTimer.singleShot(200, window, fill)
    with rig.qtbot.waitSignal(window.copying.done):
        user.key(Qt.Key.Key_S, CTRL)
    assert json.loads((tmp_path / "plain.json").read_text())


def test_unwritable_folder_is_reported(rig: WindowRig, user: User, tmp_path: Path) -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window = rig.start()
    file = tmp_path / "file"
    file.write_text("")

    def save() -> None:
        window.copying.save(_all_rows(window), file / "saved.csv", Format.CSV)

    save()
    rig.qtbot.waitUntil(window.page.banner.isVisible)
    assert window.page.banner.error is not None
    assert window.page.banner.error.hint
    assert window.page.table.isVisible()


def _all_rows(window: WindowUnderTest) -> Any:
    from usage_viewer.gui.clipboard.copy_controller import Chosen

    assert window.workspace.last is not None
    return Chosen(window.workspace.last, [], window.workspace.names)


def test_copying_no_rows_is_reported(rig: WindowRig, user: User) -> None:
    window = rig.start()
    QApplication.clipboard().setText("kept")
    rig.settle(window, lambda: window.workspace.show_view(window.workspace.view.with_search("zzzz")))
    window.commands.copy.trigger()
    assert "nothing to copy" in window.page.status.text
    assert QApplication.clipboard().text() == "kept"
