"""Pages on runs, and studies."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sorby import _sorby
from sorby._data import StrPath
from sorby._events import OnProgress, as_called, say


class Report(NamedTuple):
    """A report that was written."""

    #: The HTML page.
    page: Path
    #: Mean intersection over union over all images, 0 to 1.
    mean_iou: float | None
    #: Errors of the segmentation, which correct measurements of other images; None where nothing could be learnt.
    calibration: Path | None


def report(
    run: StrPath,
    data: StrPath,
    *,
    split: str = "val",
    class_name: str = "1",
    out: StrPath | None = None,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> Report:
    """Put everything known about a run on one page: learning, accuracy, particles with intervals, thresholds.

    Parameters
    ----------
    run
        Run folder, or a model file.
    data
        Data set: a folder with a dataset.toml, or such a file.
    split
        Split or fold that is scored; `all` for every image.
    class_name
        Class whose particles are measured, by name or index.
    out
        The page; default: report.html in the run folder.
    threads
        Threads that it may use; default: all cores.
    """
    page, mean_iou, calibration = _sorby.report(
        run,
        data,
        split=split,
        class_name=class_name,
        out=out,
        threads=threads,
        say=say,
        on_progress=as_called(on_progress),
    )
    return Report(Path(page), mean_iou, None if calibration is None else Path(calibration))


@dataclass(frozen=True)
class Study:
    """A study's folder: which training tricks help, with intervals."""

    #: The folder.
    path: Path
    #: How it stands: trainings done and missing, verdicts.
    status: dict[str, Any]
    #: Whether it was stopped; the same call goes on.
    stopped: bool

    def report(self, out: StrPath | None = None) -> Path:
        """Write tables and figures as an HTML page with CSV, Markdown, LaTeX, PNG and SVG; gives the page."""
        return Path(_sorby.study_report([self.path], out=out, say=say))


def study(
    spec: StrPath,
    data: StrPath,
    *,
    out: StrPath | None = None,
    budget_s: float | None = None,
    jobs: int = 1,
    threads_per_job: int | None = None,
    device: str = "cpu",
    on_progress: OnProgress | None = None,
) -> Study:
    """Try training tricks one by one and stack those that help; goes on where an earlier call was left.

    Each training is a process of its own, which stops in order when this one ends.

    Parameters
    ----------
    spec
        Study file.
    data
        Data set: a folder with a dataset.toml, or such a file.
    out
        Folder of the study; default: studies/ and the name of the file.
    budget_s
        Choose folds, seeds and iterations so that the study takes no longer than so many seconds.
    jobs
        Trainings at the same time.
    threads_per_job
        Threads of each; default: all, shared among the jobs.
    """
    folder = Path(out) if out is not None else Path("studies") / Path(spec).stem
    threads = threads_per_job or max(1, (os.cpu_count() or 1) // jobs)
    status, stopped = _sorby.study(
        spec,
        data,
        folder,
        budget_s=budget_s,
        jobs=jobs,
        threads_per_job=threads,
        device=device,
        say=say,
        on_progress=as_called(on_progress),
    )
    return Study(folder, json.loads(status), stopped)
