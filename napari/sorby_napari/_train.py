"""The widget Train: pairs of images and painted labels to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari.viewer
import sorby
from magicgui.widgets import ComboBox, Container, FileEdit, FloatSpinBox, Label, LineEdit, PushButton
from napari.utils.notifications import show_info

from sorby_napari import _layers, _scale
from sorby_napari._choices import required_folder
from sorby_napari._jobs import Job, shown
from sorby_napari._pairs import Pair, Pairs

_FIRST_CLASS, _UNLABELLED = "is the first class", "is not labelled"


class Train(Container):
    """Choose pairs of layers and a new folder; the result is a run folder, which Segment takes."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self.pairs = Pairs(viewer)
        self.zero = ComboBox(
            choices=[_FIRST_CLASS, _UNLABELLED],
            label="Value 0",
            tooltip="In layers that were painted only here and there, 0 is not labelled and 1 is the first class",
        )
        self.classes = LineEdit(
            label="Classes", tooltip="Names in the order of the values, with commas; empty: as the layers say"
        )
        self.recipe = LineEdit(
            value="coffee", label="Recipe", tooltip="coffee (a quarter of an hour), lunch, overnight, paper, or a file"
        )
        self.minutes = FloatSpinBox(
            value=0, min=0, max=10000, step=0.5, label="Minutes", tooltip="Train for so long; 0: as the recipe says"
        )
        self.folder = FileEdit(mode="d", label="Folder", tooltip="The data set `data` and the run `run` are written here")
        self.start = PushButton(text="Train")
        self.job = Job()
        self.said = Label(value="")
        rows = [self.zero, self.classes, self.recipe, self.minutes, self.folder, self.start, self.job, self.said]
        super().__init__(widgets=[self.pairs, *rows])
        self.start.changed.connect(self.train)

    @shown
    def train(self) -> None:
        """Train in a thread."""
        pairs = self.pairs.required()
        folder = required_folder(self.folder, "a folder for the training")
        zero_is_unlabelled = self.zero.value == _UNLABELLED
        arrays = [pair.arrays(zero_is_unlabelled) for pair in pairs]
        options: dict[str, Any] = {
            "recipe": self.recipe.value.strip() or "coffee",
            "classes": self._names(pairs, zero_is_unlabelled),
            "pixel_size_nm": _scale.common_pixel_size_nm([pair.image for pair in pairs]),
            "time_s": 60 * self.minutes.value or None,
            "out": folder,
        }

        def work(on_progress: Any) -> sorby.Run:
            segmenter = sorby.Segmenter(**options, on_progress=on_progress)
            return segmenter.fit(*zip(*arrays, strict=True)).run_

        self.said.value = ""
        self.job.start(work, self._done, lambda: self._stopped(folder))

    def _names(self, pairs: list[Pair], zero_is_unlabelled: bool) -> list[str] | None:
        """Names of the classes: as typed, or as the layers say; None: by number."""
        typed = [name.strip() for name in self.classes.value.split(",") if name.strip()]
        if typed or zero_is_unlabelled:
            return typed or None
        said = [_layers.said(pair.labels.metadata).get("classes", []) for pair in pairs]
        named = [names for names in said if names]
        if any(names != named[0] for names in named):
            raise sorby.Error("the labels layers name different classes; type the names of the classes")
        return named[0] if named else None

    def _done(self, run: sorby.Run) -> None:
        text = f"trained: {run.path}"
        if "mean_iou" in run.scores:
            text += f"; mean IoU {run.scores['mean_iou']:.3f} on the images that validate"
        self._say(text)

    def _stopped(self, folder: Path) -> None:
        run = folder / "run"
        self._say(f"stopped; what was learnt is kept: sorby.resume({str(run)!r}) goes on" if run.exists() else "stopped")

    def _say(self, text: str) -> None:
        self.said.value = text
        self.said.native.setWordWrap(True)
        show_info(text)
