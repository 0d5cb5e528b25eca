"""Shows uncaught exceptions in the window, which stays usable."""

import logging
import sys
import types

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from usage_viewer.domain.errors import UsageViewerError
from usage_viewer.domain.key_masking import mask_keys

log = logging.getLogger(__name__)


class ExceptionHook(QObject):
    """Replaces `sys.excepthook`; logs each exception and reports it as the program's own error."""

    raised = Signal(object)  # UsageViewerError

    def __init__(self) -> None:
        super().__init__()
        sys.excepthook = self._on_exception

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
    ) -> None:
        log.error("unexpected error", exc_info=(kind, error, trace))
        if not issubclass(kind, Exception):
            QApplication.exit(1)
            return
        detail = mask_keys(f"{kind.__name__}: {error}")
        self.raised.emit(UsageViewerError(detail, hint="The window stays usable."))
