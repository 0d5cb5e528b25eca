"""Chooses the colours and patterns of a chart: at least 3:1 on the ground, and told apart without colour."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette

from usage_viewer.gui.widgets.contrast import SHAPE, TEXT, blend, nearest
from usage_viewer.gui.widgets.theme import muted_colour
from usage_viewer.query.chart_series import ChartGroup, GroupKind

_HUES = ("#3a76c4", "#dd8421", "#3f9b5f", "#9159b8", "#cf4b4b", "#1f9c9c", "#94703f", "#cc5599")
_Style = Qt.BrushStyle
PATTERNS = (
    _Style.NoBrush,
    _Style.BDiagPattern,
    _Style.HorPattern,
    _Style.FDiagPattern,
    _Style.Dense6Pattern,
    _Style.VerPattern,
    _Style.DiagCrossPattern,
    _Style.CrossPattern,
)
"""The patterns over the fills, in the order of the series."""
HATCH = _Style.BDiagPattern
"""The pattern of buckets that are in progress."""
MISSING = _Style.FDiagPattern
"""The pattern of buckets that are not loaded."""
LACKING = _Style.DiagCrossPattern
"""The pattern of buckets in which a dimension is not available."""
_STRONGEST = 0.85
"""Share of the text's colour in the fill of the largest cell of a heat map."""


@dataclass(frozen=True)
class ChartColours:
    """Holds the colours of a chart on a palette; `strong` draws outlines, for palettes with high contrast."""

    ground: QColor
    text: QColor
    muted: QColor
    grid: QColor
    accent: QColor
    strong: bool

    @classmethod
    def of(cls, palette: QPalette) -> "ChartColours":
        """Return the colours for a palette."""
        ground, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        muted = nearest(muted_colour(palette), [(ground, TEXT)])
        accent = nearest(palette.color(QPalette.ColorRole.Highlight), [(ground, SHAPE)])
        return cls(ground, text, muted, blend(ground, text, 0.14), accent, _wants_contrast())

    def fill(self, place: int, group: ChartGroup) -> QColor:
        """Return the fill of a series; its contrast with the ground is at least 3."""
        if group.kind is GroupKind.TOTAL:
            return self.accent
        if group.kind is GroupKind.GROUP:
            return nearest(QColor(_HUES[place % len(_HUES)]), [(self.ground, SHAPE)])
        return nearest(blend(self.ground, self.text, 0.45), [(self.ground, SHAPE)])

    def fills(self, groups: Sequence[ChartGroup]) -> list[QColor]:
        """Return the fills of all series."""
        return [self.fill(place, group) for place, group in enumerate(groups)]

    def pattern(self, place: int, group: ChartGroup) -> Qt.BrushStyle:
        """Return the pattern over a series' fill."""
        return PATTERNS[place % len(PATTERNS)] if group.kind is GroupKind.GROUP else _Style.NoBrush

    def on_fill(self, fill: QColor) -> QColor:
        """Return the colour of a subtle pattern over a fill: it keeps the fill's contrast with the ground."""
        return nearest(blend(fill, self.text, 0.3), [(self.ground, SHAPE)])

    def heat(self, strength: float) -> QColor:
        """Return the fill of a cell; `strength` is its share of the largest number, 0 to 1.

        The weakest fill has a contrast of 3 with the ground, and stronger ones have more.
        """
        strongest = blend(self.accent, self.text, _STRONGEST)
        return blend(nearest(self.accent, [(self.ground, SHAPE)]), strongest, max(0.0, min(strength, 1.0)))

    def text_on(self, fill: QColor) -> QColor:
        """Return the colour of a text on a fill."""
        return nearest(self.ground, [(fill, TEXT)])


def _wants_contrast() -> bool:
    """Return whether the system asks for high contrast; Qt tells since 6.10."""
    hints = QGuiApplication.styleHints()
    if not hasattr(hints, "accessibility") or not hasattr(Qt, "ContrastPreference"):
        return False
    return bool(hints.accessibility().contrastPreference() is Qt.ContrastPreference.HighContrast)
