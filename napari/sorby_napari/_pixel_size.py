"""The widget Pixel size: states it for layers whose files do not."""

from __future__ import annotations

import napari.viewer
import sorby
from magicgui.widgets import Container, FloatSpinBox, PushButton
from napari.layers import Image, Labels
from napari.utils.notifications import show_info

from sorby_napari import _scale
from sorby_napari._choices import LayerChoice
from sorby_napari._jobs import shown


class PixelSize(Container):
    """Choose a layer, give nanometres per pixel: scale and units of all image and labels layers of its size follow."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self._viewer = viewer
        self.layer = LayerChoice(viewer, (Image, Labels), "Layer", "Layer whose pixel size is stated")
        self.nm = FloatSpinBox(
            value=0, min=0, max=1e9, step=0.001, label="nm per pixel", tooltip="Edge of one pixel in nanometres"
        )
        self.start = PushButton(text="Set")
        super().__init__(widgets=[self.layer, self.nm, self.start])
        self.start.changed.connect(self.set)
        self.layer.changed.connect(self._show)
        self._show()

    def _show(self, *_: object) -> None:
        """The pixel size that the layer has."""
        try:
            size = None if self.layer.value is None else _scale.pixel_size_nm(self.layer.value)
        except sorby.Error:
            size = None
        self.nm.value = size or 0

    @shown
    def set(self) -> None:
        """Set the pixel size of the layer, and of all that show the same field."""
        chosen, size = self.layer.required(), float(self.nm.value)
        if not size > 0:
            raise sorby.Error("nm per pixel: give a number above 0")
        rows_columns = chosen.data.shape[:2]
        for layer in self._viewer.layers:
            if isinstance(layer, (Image, Labels)) and layer.ndim == 2 and layer.data.shape[:2] == rows_columns:
                layer.scale, layer.units = (size, size), ("nm", "nm")
                show_info(f"{layer.name}: {size:g} nm per pixel")
        self._viewer.reset_view()
