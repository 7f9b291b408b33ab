"""The widget Segment: an image layer and a model to a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari.viewer
import sorby
from magicgui.widgets import CheckBox, Container, FileEdit, PushButton
from napari.layers import Image
from napari.utils.notifications import show_warning

from sorby_napari import _layers, _scale
from sorby_napari._choices import LayerChoice, required_folder
from sorby_napari._jobs import Job, shown

#: A pixel size beyond those of the training by more than this is another magnification: the rule of the library.
_TOLERANCE = 0.02


class Segment(Container):
    """Choose a model and an image; the result is a labels layer in the colours of the classes."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = viewer
        self.model = FileEdit(mode="d", label="Model", tooltip="Run folder of a training")
        self.image = LayerChoice(viewer, Image, "Image", "Image layer to segment")
        self.tta = CheckBox(
            value=False, label="Six scales", tooltip="Average over six image scales: slower, and often more accurate"
        )
        self.start = PushButton(text="Segment")
        self.job = Job()
        super().__init__(widgets=[self.model, self.image, self.tta, self.start, self.job])
        self.start.changed.connect(self.segment)

    @shown
    def segment(self) -> None:
        """Segment the image in a thread."""
        path = required_folder(self.model, "the run folder of a training")
        layer = self.image.required()
        image, place, name = _layers.picture(layer), _scale.placed_as(layer), layer.name
        size, tta = _scale.pixel_size_nm(layer), bool(self.tta.value)

        def work(on_progress: Any) -> Any:
            model = sorby.load(path, tta=tta)
            return model, model.predict(image, on_progress=on_progress)

        def done(result: Any) -> None:
            model, mask = result
            self._warn(model, name, size)
            self._add(model, mask, f"{name} mask", path, place)

        self.job.start(work, done)

    def _add(self, model: sorby.Model, mask: Any, name: str, path: Path, place: dict[str, Any]) -> None:
        known = {"model": str(path)}
        data, keywords, _ = _layers.mask_layer(mask, name, model.classes_, model.colours_, place, **known)
        self._viewer.add_labels(data, **keywords)

    def _warn(self, model: sorby.Model, name: str, size: float | None) -> None:
        """An image of another magnification than the training images is segmented, and said to be one."""
        if size is None or model.pixel_size_nm_ is None:
            return
        low, high = model.pixel_size_nm_
        if not low / (1 + _TOLERANCE) <= size <= high * (1 + _TOLERANCE):
            learnt = f"{low:g} nm" if low == high else f"{low:g} to {high:g} nm"
            show_warning(f"{name}: has pixels of {size:g} nm, but the model learnt from {learnt}; check the mask")
