"""Does ten tasks of people who answer for a bill, and counts what each takes.

An action is one use of one control: a click, a key, a typed text, or a choice in a list that was opened for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QWidget

from tests.gui.sources.test_organization_controller import second, with_second
from tests.rigs.window import Oracle, User, WindowRig, WindowUnderTest, below, shown_sums
from usage_viewer.app.erase_all import erase_all
from usage_viewer.domain.date_range import Preset
from usage_viewer.domain.names import NEVER
from usage_viewer.domain.period import Granularity
from usage_viewer.gui.bars.range_popup import PRESETS
from usage_viewer.gui.sources.organization_dialogs import AddDialog, CombineDialog
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.widgets.plain_text import shown_menu_text
from usage_viewer.keystore import MemoryKeystore

__all__ = ["second", "with_second"]

MOST = 8
CONTROL = Qt.KeyboardModifier.ControlModifier


@dataclass
class Person:
    """Uses one control after the other and waits for the window; `actions` names each use."""

    rig: WindowRig
    user: User
    window: WindowUnderTest
    actions: list[str] = field(default_factory=list)

    def act(self, name: str, act: Callable[[], object], *, settles: bool = True) -> None:
        self.actions.append(name)
        if settles:
            self.rig.settle(self.window, act)
        else:
            act()

    def dataset(self, name: str) -> None:
        choice = self.window.page.dataset
        self.act(f"dataset {name}", lambda: self.choose(choice, choice.menu_actions[name]))

    def per(self, per: Granularity) -> None:
        choice = self.window.page.per
        self.act(f"by {per.value}", lambda: self.choose(choice, choice.menu_actions[per]))

    def choose(self, choice: QWidget, action: QAction) -> None:
        """Open the menu of a control and choose an entry."""
        self.user.click(choice)
        self.user.pick(shown_menu_text(action.text()))

    def range(self, preset: Preset) -> None:
        picker = self.window.page.range

        def choose() -> None:
            self.user.click(picker.button)
            presets = picker.popup.presets
            rect = presets.visualItemRect(presets.item(PRESETS.index(preset)))
            self.rig.qtbot.mouseClick(presets.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())

        self.act(f"range {preset.value}", choose)

    def zone(self, text: str) -> None:
        def choose() -> None:
            self.user.click(self.window.page.zone)
            self.user.type(text)
            self.user.key(Qt.Key.Key_Return)

        self.act(f"zone {text}", choose)

    def chip(self, dimension: str) -> None:
        self.act(f"chip {dimension}", lambda: self.user.click(self.window.page.grouping.chips[dimension]))

    def sort(self, column: str) -> None:
        self.act(f"header {column}", lambda: self.user.sort(self.window, column), settles=False)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = CONTROL, *, settles: bool = True) -> None:
        self.act(f"key {key.name}", lambda: self.user.key(key, modifiers), settles=settles)

    def filter_to_first(self, dimension: str, label: str) -> None:
        """Choose a value of a dimension in the checklist of its filter."""
        filters = self.window.page.filters

        def choose() -> None:
            self.user.click(filters.add_chip)
            self.user.pick(self.window.view.dataset.dimension(dimension).label)
            self.user.type(label)
            self.user.key(Qt.Key.Key_Return)

        self.act(f"filter {dimension} {label}", choose)


@pytest.fixture
def person(rig: WindowRig, user: User) -> Person:
    window = rig.start()
    window.resize(1204, 740)
    return Person(rig, user, window)


def first_cells(person: Person) -> list[str]:
    model = person.window.page.model
    return [str(model.index(0, place).data()) for place in range(model.columnCount())]


def test_a_line_that_cost_most_last_month(person: Person, oracle: Oracle) -> None:
    person.dataset("costs")
    person.range(Preset.LAST_MONTH)
    costs = {key: figures["amount"] for key, figures in oracle.sums(person.window.view).items()}
    assert first_cells(person)[0] == max(costs, key=lambda key: costs[key] or 0)[-1]
    assert len(person.actions) <= MOST, person.actions


def test_b_cached_share_by_key_worst_first(person: Person) -> None:
    person.chip("api_key_id")
    person.chip("model")
    person.sort("cached_share")
    person.sort("cached_share")
    column, model = person.window.page.model.table.figure("cached_share"), person.window.page.model
    assert not person.window.view.order[0].descending
    person.rig.qtbot.waitUntil(lambda: model.view.order == person.window.view.order)
    shares = [column.figures.at(int(row)) for row in model.rows]
    assert shares == sorted(share for share in shares if share is not None) + [None] * shares.count(None)
    assert len(person.actions) <= MOST, person.actions


def test_c_batch_of_one_project_by_the_hour_yesterday_in_kolkata(person: Person, oracle: Oracle) -> None:
    project = str(max(oracle.sums(person.window.view.with_grouping(["project_id"])))[0])
    label = person.window.workspace.names.label(person.window.view.dataset.dimension("project_id"), project)
    person.filter_to_first("project_id", label)
    person.filter_to_first("batch", "yes")
    person.chip("model")
    person.range(Preset.YESTERDAY)  # first: hours of 30 days in this zone would load 43,200 minutes
    person.per(Granularity.HOUR)
    person.zone("kolkata")
    person.key(Qt.Key.Key_E)
    assert person.window.view.zone == "Asia/Kolkata"
    assert person.window.page.model.table.rows == 24
    used = {key: figures for key, figures in shown_sums(person.window).items() if figures["num_model_requests"]}
    assert used == oracle.sums(person.window.view.with_empty_rows(False))
    assert len(person.actions) <= MOST, person.actions


def test_d_costs_of_last_month_to_the_cent(person: Person, oracle: Oracle) -> None:
    person.dataset("costs")
    person.range(Preset.LAST_MONTH)
    totals = oracle.totals(person.window.view)["amount"]
    shown = person.window.page.model.table.figure("amount").total_text(person.window.page.model.form)
    assert Decimal(shown.replace(",", "")) == round(Decimal(str(totals)), 2)
    assert len(person.actions) <= MOST, person.actions


def test_e_keys_unused_for_30_days(person: Person) -> None:
    person.chip("api_key_id")
    person.key(Qt.Key.Key_E)
    table = person.window.page.model.table
    assert person.window.view.range.preset is Preset.LAST_30_DAYS
    unused = [row for row in range(table.rows) if not table.figure("num_model_requests").figures.at(row)]
    assert unused == [], "the keys are still grouped by model"
    person.chip("model")
    table = person.window.page.model.table
    unused = [row for row in range(table.rows) if not table.figure("num_model_requests").figures.at(row)]
    listed = person.rig.server.organization.last_used(int(person.rig.clock()))
    keys, last_used = table.by_name["api_key_id"], table.by_name["api_key_id_last_used"]
    assert unused
    # A key without completions may be in use for something else: its last use tells.
    assert all(last_used.value(row) == listed.get(str(keys.value(row)), NEVER) for row in unused)
    assert len(person.actions) <= MOST, person.actions


def test_f_tokens_per_project_and_month_for_a_sheet(person: Person, oracle: Oracle) -> None:
    person.chip("project_id")
    person.chip("model")
    person.per(Granularity.MONTH)
    person.range(Preset.LAST_12_MONTHS)
    with person.rig.qtbot.waitSignal(person.window.copying.done):
        person.key(Qt.Key.Key_C, settles=False)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:2] == ["Month (UTC)", "Project"]
    assert len(lines) - 1 == len(oracle.sums(person.window.view))
    assert len(person.actions) <= MOST, person.actions


def test_g_what_is_shown_for_a_mail(person: Person) -> None:
    with person.rig.qtbot.waitSignal(person.window.copying.done):
        person.key(Qt.Key.Key_C, settles=False)
    assert "<table" in QApplication.clipboard().mimeData().html()
    assert len(person.actions) <= MOST, person.actions


def test_h_is_it_complete_and_verified_and_since_when(person: Person) -> None:
    status = person.window.page.status
    assert status.coverage_text.startswith("Complete: 30 days · loaded ")
    assert status.badge.text().startswith("Verified ")
    person.act("badge", lambda: person.user.click(status.badge), settles=False)
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.close()
    assert len(person.actions) <= MOST, person.actions


def test_i_two_organizations_together(with_second: WindowRig, user: User) -> None:
    person = Person(with_second, user, with_second.start())
    menu = below(person.window.page.menu, "Organization")

    def dialog(kind: type[FormDialog]) -> FormDialog:
        return next(one for one in person.window.findChildren(kind) if one.isVisible())

    person.act("Add organization…", person.window.organizations.ask_to_add, settles=False)
    adding = dialog(AddDialog)
    user.activate(adding)
    person.act("its name", lambda: user.type("Umbrella"), settles=False)
    person.key(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
    person.act("Combine…", person.window.organizations.ask_to_combine, settles=False)
    combining = dialog(CombineDialog)
    person.act("Combine", combining.button.click)
    assert len(person.window.view.profiles) == 2
    assert menu is not None
    assert len(person.actions) + 1 <= MOST, person.actions  # and the key of the second, which the test has stored


def test_j_forget_everything(rig: WindowRig, user: User) -> None:
    context = rig.context(None, erase_all=lambda: erase_all(rig.data_dir, lambda id: MemoryKeystore()))
    person = Person(rig, user, rig.open(context))
    person.act("Delete all data and keys…", person.window.commands.erase_all.trigger, settles=False)
    dialog = next(one for one in person.window.findChildren(FormDialog) if one.isVisible())
    user.activate(dialog)
    person.act("type", lambda: user.type(dialog.to_type), settles=False)
    person.key(Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, settles=False)
    rig.qtbot.waitUntil(lambda: not person.window.isVisible())
    rig.close(person.window)
    assert not rig.data_dir.exists()
    assert len(person.actions) <= MOST, person.actions
