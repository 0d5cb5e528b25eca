"""The dialogs that add, rename, remove and combine organizations."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QCheckBox, QFormLayout, QLineEdit, QWidget

from usage_viewer.app.fetch.api_source import OFFICIAL_URL
from usage_viewer.app.profile.organizations import LONGEST_LABEL, Organization
from usage_viewer.domain.errors import InputError
from usage_viewer.gui.widgets.form_dialog import FormDialog
from usage_viewer.gui.widgets.plain_text import menu_text


class AddDialog(FormDialog):
    def __init__(self, parent: QWidget, add: Callable[[str, str], None]) -> None:
        """`add` takes the name and the server's address, "" for the vendor's own."""
        super().__init__(
            parent,
            "Add an organization",
            "It has its own admin key, which is asked for next, and its own data on this computer.",
            "&Add",
            lambda: add(self.name.text(), self.server.text().strip()),
        )
        self.name = _name_field(self)
        self.server = QLineEdit(self, placeholderText=OFFICIAL_URL)
        self.server.setAccessibleName("Server")
        self.server.setAccessibleDescription("Leave it empty for the vendor's own server")
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.addRow("&Name", self.name)
        form.addRow("&Server (optional)", self.server)
        self.body.addLayout(form)


class RenameDialog(FormDialog):
    def __init__(self, parent: QWidget, label: str, rename: Callable[[str], None]) -> None:
        super().__init__(
            parent,
            f"Rename {label}",
            "Only the name changes: its data and its key stay where they are.",
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
    def __init__(self, parent: QWidget, label: str, remove: Callable[[bool, bool], None]) -> None:
        """`remove` takes whether the data and whether the key go too."""
        super().__init__(
            parent,
            f"Remove {label}",
            "It no longer appears here. Nothing changes at the vendor's.",
            "Re&move",
            lambda: remove(self.data.isChecked(), self.key.isChecked()),
            removes=True,
        )
        self.data = QCheckBox("Remove its &usage and names from this computer", self)
        self.key = QCheckBox("Remove its &key from the keyring", self)
        self.data.setChecked(True)  # the key can't be fetched again: its box is the user's to tick
        self.body.addWidget(self.data)
        self.body.addWidget(self.key)


class CombineDialog(FormDialog):
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
            "Their usage is added up in one table; Organization is one more thing to group and filter by.",
            "&Combine",
            lambda: combine(self._ids()),
        )
        self.boxes = {one.id: QCheckBox(menu_text(one.label), self) for one in organizations}
        for id, box in self.boxes.items():
            box.setChecked(not chosen or id in chosen)
            self.body.addWidget(box)

    def _ids(self) -> tuple[str, ...]:
        ids = tuple(id for id, box in self.boxes.items() if box.isChecked())
        if len(ids) < 2:
            raise InputError(title="Choose at least two", hint="One alone is shown without combining.")
        return ids


def _name_field(parent: QWidget) -> QLineEdit:
    field = QLineEdit(parent)
    field.setMaxLength(2 * LONGEST_LABEL)
    field.setAccessibleName("Name")
    return field
