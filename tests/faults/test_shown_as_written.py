"""Checks that fetched texts and file names are shown as plain text: never rendered, run or opened."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QLabel,
    QMenu,
    QTextBrowser,
    QTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

import usage_viewer
from tests.faults.conftest import FaultRig
from tests.faults.misbehaviours import HOSTILE, SHOWN_HOSTILE, edits, error
from tests.faults.usage_wire import Page
from tests.rigs.window import WindowUnderTest
from usage_viewer.app.export import Format
from usage_viewer.domain.display_text import visible
from usage_viewer.domain.network_errors import RequestRefused
from usage_viewer.gui.clipboard.copy_controller import Chosen
from usage_viewer.gui.widgets.form_dialog import FormDialog

TAG = "<img src=x"
ID = "<b>gpt</b> &lt;\u202e\u200b\u0007&D"
SHOWN_ID = "<b>gpt</b> &lt;⟨U+202E⟩⟨U+200B⟩␇&D"
GROUPED = ("--group-by", "project_id,user_id,api_key_id,model")


class Links(QObject):
    """Records the addresses that the program asks the desktop to open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def links(qtbot: QtBot) -> Iterator[Links]:
    links = Links()
    for scheme in ("http", "https", "file", "mailto"):
        QDesktopServices.setUrlHandler(scheme, links, "open")  # type: ignore[arg-type] # bytes are refused
    yield links
    for scheme in ("http", "https", "file", "mailto"):
        QDesktopServices.unsetUrlHandler(scheme)
    assert links.opened == []


@pytest.fixture
def hostile(rig: FaultRig, qtbot: QtBot, links: Links) -> Iterator[FaultRig]:
    """A server whose names, models and fields try to do harm."""
    rig.qtbot = qtbot
    rig.directory = rig.directory.parent / "<img src=x> \u202edata"
    rig.server.name = f"{HOSTILE}<img src='{rig.elsewhere.base_url}/seen.png'>"
    rig.server.model = ID
    rig.server.listen()
    yield rig
    assert rig.elsewhere.requests == []
    assert not rig.elsewhere.received


def every(window: WindowUnderTest) -> Iterator[QWidget]:
    """Yield all widgets, also those of menus, popups and dialogs."""
    yield from QApplication.allWidgets()


def check_text(text: str, where: object) -> None:
    """Check that every character is visible, except line ends, which are the program's own."""
    assert visible(text.replace("\n", " ")) == text.replace("\n", " "), where


def check_tip(text: str, where: object) -> None:
    """Check that everything that could be markup is escaped."""
    check_text(text, where)
    if not text.startswith("<qt>"):
        assert "<" not in text, (text, where)  # nothing else looks like markup to Qt
        return
    inside = text.removeprefix("<qt>").removesuffix("</qt>").replace("<br>", "")
    assert "<" not in inside, (text, where)
    assert not re.search(r"&(?!(amp|lt|gt|quot|#x27);)", inside), (text, where)


def check_widget(widget: QWidget) -> None:
    check_tip(widget.toolTip(), widget)
    for text in (widget.windowTitle(), widget.accessibleName(), widget.accessibleDescription()):
        check_text(text, widget)
    assert not isinstance(widget, QTextBrowser)
    if isinstance(widget, QTextEdit):
        assert not widget.acceptRichText() or widget.isReadOnly()
    if isinstance(widget, QLabel):
        assert widget.textFormat() is Qt.TextFormat.PlainText, widget.text()
        assert not widget.openExternalLinks()
        check_text(widget.text(), widget)
    if isinstance(widget, QAbstractButton):
        check_text(widget.text(), widget)
    if isinstance(widget, QMenu):
        for action in widget.actions():
            check_text(action.text(), action)
            if widget.toolTipsVisible():
                check_tip(action.toolTip(), action)


def check_model(model: QAbstractItemModel) -> set[str]:
    """Check the texts of all cells and headers."""
    shown: set[str] = set()
    roles = Qt.ItemDataRole
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
    cells = [model.index(row, place) for row in range(model.rowCount()) for place in range(columns)]
    for index in cells:
        shown.add(str(index.data(roles.DisplayRole) or ""))
        check_text(str(index.data(roles.AccessibleTextRole) or ""), index)
        check_tip(index.data(roles.ToolTipRole) or "", index)
    for section in range(columns):
        heading = model.headerData(section, Qt.Orientation.Horizontal, roles.DisplayRole)
        shown.add(str(heading if isinstance(heading, str) else ""))
        check_tip(model.headerData(section, Qt.Orientation.Horizontal, roles.ToolTipRole) or "", section)
    for text in shown:
        check_text(text, model)
    return shown


def check_all(window: WindowUnderTest) -> set[str]:
    """Check every widget, and the texts of all tables and lists."""
    shown: set[str] = set()
    QApplication.processEvents()
    for widget in every(window):
        check_widget(widget)
        model = widget.model() if isinstance(widget, QAbstractItemView) else None
        if model is not None and model.rowCount() <= 1000:
            shown |= check_model(model)
    return shown


def test_names_models_and_ids_are_shown_as_text(hostile: FaultRig) -> None:
    window = hostile.window(*GROUPED)
    shown = check_all(window)
    assert any(text.startswith(SHOWN_HOSTILE) for text in shown)
    assert SHOWN_ID in shown


def test_names_in_filters_lists_and_menus_are_shown_as_text(hostile: FaultRig) -> None:
    window = hostile.window(*GROUPED)
    view = window.workspace.view
    hostile.settle(
        window, lambda: window.workspace.show_view(view.only("project_id", "proj_one").only("model", ID))
    )
    chips = window.page.filters.chips
    assert chips["model"].text() == f"Model: {SHOWN_ID}"
    assert chips["model"].shortcut().isEmpty()  # the ampersand in the name is not a mnemonic
    assert chips["project_id"].text().startswith(f"Project: {SHOWN_HOSTILE}")
    for name in ("project_id", "model"):
        window.page.filters.open_checklist(name)
        assert TAG in "".join(check_all(window)) or name == "model"
        window.page.filters.checklist.hide()
    for button in window.findChildren(QToolButton):
        if button.menu() is not None:
            button.menu().aboutToShow.emit()
    check_all(window)


def test_cell_menu_is_shown_as_text(hostile: FaultRig) -> None:
    from usage_viewer.gui.table.table_menus import cell_menu

    window = hostile.window(*GROUPED)
    table = window.page.model.table
    for name in ("project_id", "model"):
        menu = cell_menu(
            table.by_name[name], 0, window.workspace.view, lambda view: None, lambda form: None, window
        )
        texts = [action.text() for action in menu.actions()]
        assert any("<" in text and "&&" in text for text in texts)
        check_widget(menu)


def test_unknown_fields_are_shown_as_text(hostile: FaultRig) -> None:
    field = f"{TAG}>\u202e&D"

    def add(page: Page) -> None:
        for one in page["data"]:
            one["results"][0] |= {field: 7, f"{field}2": HOSTILE}

    hostile.server.behave = edits(add)
    window = hostile.window()
    last = window.workspace.last
    assert last is not None
    extras = last.look.extras
    assert len(extras.figures) == len(extras.values) == 1
    view = last.view.with_columns([*last.view.shown_columns, *extras.figures]).toggled(extras.values[0])
    hostile.settle(window, lambda: window.workspace.show_view(view))
    shown = check_all(window)
    assert f"{TAG}>⟨U+202E⟩&D" in shown
    assert any(SHOWN_HOSTILE in text for text in shown)


def test_server_messages_are_shown_as_text(hostile: FaultRig) -> None:
    hostile.server.behave = error("400 Bad", HOSTILE, param="limit")
    window = hostile.window()
    assert SHOWN_HOSTILE in "".join(label.text() for label in window.page.banner.findChildren(QLabel))
    check_all(window)
    window.key_page.show_error(RequestRefused(HOSTILE))
    assert SHOWN_HOSTILE in window.key_page.problem_text
    check_all(window)


def test_quoted_values_in_errors_are_shown_as_text(hostile: FaultRig) -> None:
    def bend(page: Page) -> None:
        page["data"][0]["results"][0]["input_tokens"] = "<b>\u202emany"

    hostile.server.behave = edits(bend)
    window = hostile.window()
    assert window.page.banner.isVisible()
    check_all(window)
    printed = hostile.table()
    assert visible(printed.err.replace("\n", " ")) == printed.err.replace("\n", " ")


def test_file_names_are_shown_as_text(hostile: FaultRig, tmp_path: Path, qtbot: QtBot) -> None:
    window = hostile.window(*GROUPED)
    last = window.workspace.last
    assert last is not None
    path = tmp_path / "<img src=x> \u202evsc.csv"
    with qtbot.waitSignal(window.copying.done):
        window.copying.save(Chosen(last, (), window.workspace.names), path, Format.CSV)
    assert path.exists()
    assert "<img src=x> ⟨U+202E⟩vsc.csv" in window.page.status.text
    check_all(window)
    with qtbot.waitSignal(window.copying.failed):
        path = tmp_path / "\u202enowhere" / "<b>a.csv"
        window.copying.save(Chosen(last, (), window.workspace.names), path, Format.CSV)
    assert "⟨U+202E⟩nowhere" in "".join(label.text() for label in window.page.banner.findChildren(QLabel))
    check_all(window)


@pytest.mark.parametrize("name", ["about", "shortcuts"])
def test_dialogs_show_plain_text(hostile: FaultRig, name: str) -> None:
    window = hostile.window(*GROUPED)
    action = getattr(window.commands, name)
    action.trigger()
    check_all(window)


@pytest.mark.parametrize("name", ["forget_key", "erase"])
def test_questions_show_plain_text(hostile: FaultRig, name: str) -> None:
    window = hostile.window(*GROUPED)
    getattr(window.commands, name).trigger()
    dialog = next(one for one in window.findChildren(FormDialog) if one.isVisible())
    check_all(window)
    dialog.reject()


def test_command_line_prints_plain_text(hostile: FaultRig) -> None:
    for form in ("tsv", "csv", "markdown"):
        out = hostile.table(*GROUPED, "--format", form).out
        assert visible(re.sub(r"[\t\r\n]", " ", out)) == re.sub(r"[\t\r\n]", " ", out)


def test_program_opens_no_links_and_renders_no_pages() -> None:
    """Checks the source: it has no call that could open or render."""
    package = Path(usage_viewer.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    for word in (
        "openUrl",
        "setOpenExternalLinks",
        "QTextBrowser",
        "QWebEngine",
        "webbrowser",
        "RichText",
        "setHtml",
    ):
        users = [path.name for path, text in sources.items() if word in text]
        assert users == [], word
    for word in (r"\beval\(", r"\bexec\((?!\))", r"\bpickle\b", r"\bos\.system\b", r"shell=True", r"yaml\.load"):
        assert [path.name for path, text in sources.items() if re.search(word, text)] == [], word
