"""Trainings in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorby import _sorby
from sorby._data import StrPath
from sorby._events import OnProgress, as_called, say
from sorby._model import Model, load


@dataclass(frozen=True)
class Run:
    """A run folder."""

    #: The folder: model, recipe, curves, checkpoints.
    path: Path
    #: Iterations done in all.
    iterations: int
    #: Whether a callback stopped it before its last iteration; `sorby.resume` goes on.
    stopped: bool
    #: Scores of the last validation, 0 to 1: `mean_iou`, `mean_dice`, `pixel_accuracy`, ..., and `classes` by name. Empty
    #: without a validation.
    scores: dict[str, Any]
    #: Iteration and mean IoU of the best validation: {"iteration": .., "mean_iou": ..}; None without one.
    best: dict[str, Any] | None

    def model(self, **options: Any) -> Model:
        """The model after the last iteration; options as those of `sorby.load`."""
        return load(self.path, **options)


def _run(folder: str | Path, text: str) -> Run:
    outcome = json.loads(text)
    scores = outcome["scores"] or {}
    if scores:
        scores["classes"] = {one.pop("name"): one for one in scores["classes"]}
    return Run(Path(folder), outcome["iterations"], outcome["stopped"], scores, outcome["best"])


def train(
    data: StrPath,
    recipe: StrPath = "coffee",
    *,
    set: Sequence[str] = (),
    out: StrPath | None = None,
    time_s: float | None = None,
    device: str = "cpu",
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Run:
    """Train a network, as ``sorby train`` does.

    Ctrl-C stops after the present step with a checkpoint, and raises KeyboardInterrupt; `resume` goes on.

    Parameters
    ----------
    data
        Data set: a folder with a dataset.toml, or such a file.
    recipe
        `coffee` (a quarter of an hour on two cores), `lunch`, `overnight`, `paper`, or a recipe file.
    set
        Keys of the recipe to change: ``["schedule.iterations=400", "seed=1"]``.
    out
        Run folder; default: runs/ and the recipe's name, with a number if it is taken.
    time_s
        As many iterations as take so many seconds here.
    device
        `cpu`.
    threads
        Threads that it may use; default: all cores. The bytes are the same for any number. `on_progress` is then called from
        another thread.
    on_progress
        Called with a `Progress` that counts iterations, at most ten times a second. Returning False stops with a
        checkpoint; so does raising, and what was raised is raised.
    """
    folder, outcome = _sorby.train(
        data,
        recipe,
        overrides=list(set),
        out=out,
        time_s=time_s,
        device=device,
        threads=threads,
        say=say,
        on_progress=as_called(on_progress),
    )
    return _run(folder, outcome)


def resume(
    run: StrPath,
    *,
    data: StrPath | None = None,
    iterations: int | None = None,
    device: str = "cpu",
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Run:
    """Go on with a training that was stopped, from its newest checkpoint, to the same bytes as without the stop.

    Parameters
    ----------
    run
        Run folder.
    data
        Its data set, if that was moved.
    iterations
        End at another iteration than the recipe's.
    device, threads, on_progress
        As in `train`.
    """
    folder, outcome = _sorby.resume(
        run,
        data=data,
        iterations=iterations,
        device=device,
        threads=threads,
        say=say,
        on_progress=as_called(on_progress),
    )
    return _run(folder, outcome)
