"""Work in a thread, with progress and a button that cancels it; errors as napari's notifications."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sorby
from magicgui.widgets import Container, ProgressBar, PushButton
from napari.qt.threading import create_worker
from napari.utils.notifications import notification_manager, show_error, show_warning
from qtpy.QtCore import QObject, Signal
from sorby import Progress

#: A job: takes what it is to call with its progress, and gives its result.
Work = Callable[[Callable[[Progress], bool]], Any]


def shown(call: Callable[..., None]) -> Callable[..., None]:
    """The call of a button: what Sorby refuses is shown in its own words."""

    @functools.wraps(call)
    def shown_call(self: Any, *_: Any) -> None:
        try:
            call(self)
        except sorby.Error as error:
            show_error(str(error))

    return shown_call


def _show_error(error: Exception) -> None:
    """What Sorby refuses in its own words; anything else is a mistake of ours, and napari keeps where it happened."""
    if isinstance(error, sorby.Error):
        show_error(str(error))
    else:
        notification_manager.receive_error(type(error), error, error.__traceback__)


def _show_warning(said: tuple[Any, ...]) -> None:
    """A warning of the library, which the worker passes on as `warnings.showwarning` takes it."""
    show_warning(str(said[0]))


class _Told(QObject):
    """Carries progress from the thread of the job to that of the window."""

    progress = Signal(object)


class Job(Container):
    """One job at a time. The row is visible while it works."""

    def __init__(self, *, can_be_cancelled: bool = True) -> None:
        self._bar = ProgressBar(value=0, min=0, max=0, label="")
        self.button = PushButton(text="Cancel")
        rows = [self._bar, self.button] if can_be_cancelled else [self._bar]
        super().__init__(widgets=rows, labels=False, visible=False)
        self._told = _Told()
        self._told.progress.connect(self._show)
        self.button.changed.connect(self.cancel)
        self._worker: Any = None

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self._worker is not None

    def start(self, work: Work, done: Callable[[Any], None], stopped: Callable[[], None] | None = None) -> None:
        """Begin a job. In the thread of the window `done` is called with its result, or `stopped` once it was cancelled.

        Raises
        ------
        sorby.Error
            Another one is at work.
        """
        if self.running:
            raise sorby.Error("the widget is still at work; wait for it or cancel it")

        def sorby_job() -> Any:
            def on_progress(progress: Progress) -> bool:
                self._told.progress.emit(progress)
                return not worker.abort_requested

            try:
                return work(on_progress)
            except sorby.Error:
                # It was stopped because it was asked to.
                if worker.abort_requested:
                    return None
                raise

        worker = create_worker(sorby_job, _start_thread=False, _ignore_errors=True)
        worker.returned.connect(done)
        worker.errored.connect(_show_error)
        worker.warned.connect(_show_warning)
        worker.finished.connect(functools.partial(self._end, stopped))
        self._worker = worker
        self._bar.max, self._bar.value = 0, 0
        self.visible = True
        worker.start()

    def cancel(self, *_: Any) -> None:
        """Ask the job to stop at its next step."""
        if self._worker is not None:
            self._worker.quit()

    def _show(self, progress: Progress) -> None:
        self._bar.max, self._bar.value = progress.total, progress.done
        self._bar.native.setFormat(f"%v of %m {progress.unit} {progress.text}".rstrip())

    def _end(self, stopped: Callable[[], None] | None) -> None:
        cancelled = self._worker.abort_requested
        self._worker = None
        self.visible = False
        if cancelled and stopped is not None:
            stopped()
