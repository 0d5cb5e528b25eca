"""Asks for a file and its format; the name's ending, the chosen filter and the format always agree."""

from pathlib import Path

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QComboBox, QFileDialog, QWidget

from usage_viewer.app.export import Format


class SaveDialog(QFileDialog):
    """Says in its title which rows are saved, and offers every format as a filter."""

    def __init__(self, rows: str, stem: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, f"Save {rows}", str(Path.home()))
        self._forms = {filter_text(form): form for form in offered_formats(QLocale())}
        self.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self.setFileMode(QFileDialog.FileMode.AnyFile)
        self.setNameFilters(list(self._forms))
        self.selectFile(stem + self._forms[self.selectedNameFilter()].suffix)
        if self.findChild(QComboBox, "fileTypeCombo") is None:  # Qt's own dialog changes the ending by itself
            self.filterSelected.connect(self._follow_filter)

    def choice(self) -> tuple[Path, Format] | None:
        """Ask the user. Return the file and its format; None if the user cancels."""
        while self.exec() == QFileDialog.DialogCode.Accepted:
            chosen = Path(self.selectedFiles()[0])
            path, form = agreeing_path(chosen, self._forms[self.selectedNameFilter()])
            if path == chosen or not path.exists():
                return path, form
            self.selectFile(path.name)  # the dialog asks before it replaces the file of this name
        return None

    def _follow_filter(self, name_filter: str) -> None:
        """Give the name the ending of the chosen format."""
        name = Path(self.selectedFiles()[0]).name
        self.selectFile(_without_ending(name) + self._forms[name_filter].suffix)


def offered_formats(locale: QLocale) -> list[Format]:
    """Return the formats; with decimal commas in the locale, the CSV that its spreadsheets read comes first."""
    forms = list(Format)
    if locale.decimalPoint() == ",":
        forms.remove(Format.SEMICOLON_CSV)
        forms.insert(forms.index(Format.CSV), Format.SEMICOLON_CSV)
    return forms


def filter_text(form: Format) -> str:
    """Return a format's entry in the dialog, such as `CSV (*.csv)`."""
    return f"{form.label} (*{form.suffix})"


def agreeing_path(path: Path, form: Format) -> tuple[Path, Format]:
    """Return a path and a format that agree: a known ending decides, and an unknown one gets that of `form`."""
    if path.suffix.lower() == form.suffix:
        return path, form
    for other in Format:
        if path.suffix.lower() == other.suffix:
            return path, other
    return path.with_name(path.name + form.suffix), form


def _without_ending(name: str) -> str:
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in {form.suffix for form in Format} else name
