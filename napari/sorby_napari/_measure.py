"""The widget Measure: a mask to its particles and the quantities of the field."""

from __future__ import annotations

from typing import Any

import napari.viewer
import numpy as np
import sorby
from magicgui.widgets import CheckBox, ComboBox, Container, Label, PushButton, SpinBox
from napari.layers import Labels

from sorby_napari import _layers, _scale
from sorby_napari._choices import LayerChoice
from sorby_napari._jobs import Job, shown
from sorby_napari._quantities import Quantities


class Measure(Container):
    """Choose a mask and a class; the result is a labels layer of the particles with a row for each, and a table."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = viewer
        self.mask = LayerChoice(viewer, Labels, "Mask", "Labels layer of class indices")
        self.class_ = ComboBox(choices=self._classes, label="Class", tooltip="Class whose particles are measured")
        self.smallest = SpinBox(
            value=0, min=0, max=10**9, label="Smallest, px", tooltip="Particles of fewer pixels are left out"
        )
        self.grains = CheckBox(value=False, label="Grains", tooltip="They are grains: corners do not join them")
        self.exclude_edge = CheckBox(
            value=False, label="Inner only", tooltip="Leave particles that touch the edge of the image out of the rows"
        )
        self.start = PushButton(text="Measure")
        self.job = Job(can_be_cancelled=False)
        self.said = Label(value="")
        self.quantities = Quantities()
        rows = [self.mask, self.class_, self.smallest, self.grains, self.exclude_edge, self.start, self.job]
        super().__init__(widgets=[*rows, self.said])
        self.native.layout().addWidget(self.quantities)
        self.mask.changed.connect(self._renew)
        self.start.changed.connect(self.measure)
        self._renew()

    def _classes(self, _: Any) -> list[tuple[str, int]]:
        """The classes of the mask by name; of a mask without names those that occur."""
        layer = self.mask.value
        if layer is None:
            return []
        names = _layers.said(layer.metadata).get("classes", [])
        if names:
            return list(zip(names, range(len(names)), strict=True))
        values = [int(v) for v in np.unique(layer.data) if 0 <= v < _layers.UNKNOWN]
        return [(f"class {v}", v) for v in values]

    def _renew(self, *_: Any) -> None:
        self.class_.reset_choices()
        if 1 in self.class_.choices:
            self.class_.value = 1

    @shown
    def measure(self) -> None:
        """Measure the mask in a thread."""
        layer = self.mask.required()
        mask, size = _layers.class_mask(layer), _scale.require_pixel_size_nm(layer)
        place, class_index, name = _scale.placed_as(layer), self.class_.value, layer.name
        if class_index is None:
            raise sorby.Error(f"{name}: holds no class to measure")
        class_name = self.class_.current_choice
        options: dict[str, Any] = {
            "class_index": class_index,
            "min_area_px": self.smallest.value,
            "grains": self.grains.value,
            "exclude_edge": self.exclude_edge.value,
        }

        def work(_: Any) -> sorby.Measurement:
            return sorby.measure(mask, pixel_size_nm=size, **options)

        def done(measured: sorby.Measurement) -> None:
            self._show(measured, f"{name}, {class_name}", size)
            self._viewer.add_labels(measured.labels[0], **particles(measured, f"{class_name} particles", place))

        self.job.start(work, done)

    def _show(self, measured: sorby.Measurement, title: str, size: float) -> None:
        count = len(measured.particles["label"])
        text = f"{title}: {count} particles, {size:.6g} nm per pixel; low to high is the 95 % interval"
        if measured.decided_by_edge_weights:
            text += "; few particles at the edge decide, so sizes have no interval"
        self.said.value = text
        self.said.native.setWordWrap(True)
        self.quantities.show_field(measured.field)


def particles(measured: sorby.Measurement, name: str, place: dict[str, Any]) -> dict[str, Any]:
    """What the layer of the particles gets. Rows have an `index` that equals the number of the particle."""
    rows = {"index": measured.particles["label"], **measured.particles}
    field = {key: tuple(estimate) for key, estimate in measured.field.items()}
    known = {"objects": True, "units": measured.units, "field": field}
    return {"name": name, "features": rows, "metadata": {_layers.KEY: known}, **place}
