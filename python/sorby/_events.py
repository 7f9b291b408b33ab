"""What a job tells while it works."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import NamedTuple

_LOG = logging.getLogger("sorby")


class Progress(NamedTuple):
    """How far a job is."""

    #: Units done.
    done: int
    #: Units in all.
    total: int
    #: What is counted, in the plural: `it` for iterations, `images`, `windows`.
    unit: str
    #: How it goes, such as `loss 0.0123`; may be empty.
    text: str


#: Called at most ten times a second. Returning False stops the job; what it raises stops the job and is raised.
OnProgress = Callable[[Progress], object]


def say(kind: str, text: str) -> None:
    """Warnings become Python's; all else goes to the logger `sorby`."""
    if kind in ("warning", "problem"):
        warnings.warn(text, stacklevel=4)
    else:
        _LOG.info("%s", text)


def as_called(on_progress: OnProgress | None) -> Callable[[int, int, str, str], bool] | None:
    """The callback as the module calls it: with four values, answered by whether to go on."""
    if on_progress is None:
        return None

    def call(done: int, total: int, unit: str, text: str) -> bool:
        return on_progress(Progress(done, total, unit, text)) is not False

    return call
