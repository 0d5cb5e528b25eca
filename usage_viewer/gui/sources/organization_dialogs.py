"""Defines the dialogs that add, rename, remove and combine organizations."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QCheckBox, QFormLayout, QLineEdit, QWidget

from usage_viewer.app.fetch.api_source import OFFICIAL_URL
from usage_viewer.app.profile.organizations import LONGEST_LABEL, Organization
from usage_viewer.domain.errors import InputError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.widgets.line_edit import LineEdit
from usage_viewer.gui.widgets.plain_text import menu_text


class AddDialog(FormDialog):
    """Asks for a name and optionally the address of a server, "" for OpenAI, and gives both to `add`."""

    def __init__(self, parent: QWidget, add: Callable[[str, str], None]) -> None:
        super().__init__(
            parent,
            "Add an organization",
            "Each organization has its own key and data. You'll enter the key next.",
            "&Add",
            lambda: add(self.name.text(), self.server.text().strip()),
        )
        self.name = _name_field(self)
        self.server = LineEdit(self, placeholderText=OFFICIAL_URL)
        self.server.setAccessibleName("Server")
        self.server.setAccessibleDescription("Leave empty for OpenAI")
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("&Name", self.name)
        form.addRow("&Server (optional)", self.server)
        self.body.addLayout(form)


class RenameDialog(FormDialog):
    """Asks for another name and gives it to `rename`."""

    def __init__(self, parent: QWidget, label: str, rename: Callable[[str], None]) -> None:
        super().__init__(
            parent,
            f"Rename {label}",
            "Only the name changes; data and key stay as they are.",
            "&Rename",
            lambda: rename(self.name.text()),
        )
        self.name = _name_field(self)
        self.name.setText(label)
        self.name.selectAll()
        form = QFormLayout()
        form.addRow("&Name", self.name)
        self.body.addLayout(form)


class RemoveDialog(FormDialog):
    """Confirms the removal and gives `remove` whether to delete the data and whether to remove the key."""

    def __init__(self, parent: QWidget, label: str, remove: Callable[[bool, bool], None]) -> None:
        super().__init__(
            parent,
            f"Remove {label}",
            "It no longer appears here. Your OpenAI account is not affected.",
            "Re&move",
            lambda: remove(self.data.isChecked(), self.key.isChecked()),
            to_type=label,
        )
        self.data = QCheckBox("Remove its &usage and names from this computer", self)
        self.key = QCheckBox("Remove its admin &key from this computer", self)
        self.data.setChecked(True)  # the key can't be downloaded again, so its box is for the user to tick
        self.body.addWidget(self.data)
        self.body.addWidget(self.key)


class CombineDialog(FormDialog):
    """Asks which organizations to add up and gives their ids to `combine`."""

    def __init__(
        self,
        parent: QWidget,
        organizations: Sequence[Organization],
        chosen: Sequence[str],
        combine: Callable[[tuple[str, ...]], None],
    ) -> None:
        super().__init__(
            parent,
            "Combine organizations",
            "Their usage is shown added up in one table, which you can group and filter by organization. Data and "
            "keys stay separate; choose one organization in the menu to see it alone again.",
            "&Combine",
            lambda: combine(self._ids()),
        )
        self.boxes = {item.id: QCheckBox(menu_text(item.label), self) for item in organizations}
        for id, box in self.boxes.items():
            box.setChecked(not chosen or id in chosen)
            self.body.addWidget(box)

    def _ids(self) -> tuple[str, ...]:
        ids = tuple(id for id, box in self.boxes.items() if box.isChecked())
        if len(ids) < 2:
            raise InputError(title="Choose at least two", hint="A single organization needs no combining.")
        return ids


def _name_field(parent: QWidget) -> QLineEdit:
    field = LineEdit(parent)
    field.setMaxLength(2 * LONGEST_LABEL)
    field.setAccessibleName("Name")
    return field
