"""Rows of the widgets by which layers and folders are chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari.viewer
import sorby
from magicgui.widgets import ComboBox, FileEdit


class LayerChoice(ComboBox):
    """The layers of one kind; follows the viewer's list."""

    def __init__(self, viewer: napari.viewer.Viewer, kind: type | tuple[type, ...], label: str, tooltip: str) -> None:
        self._viewer, self._kind = viewer, kind
        super().__init__(choices=self._layers, label=label, tooltip=tooltip, nullable=False)
        events = viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            event.connect(self._renew)

    def _layers(self, _: Any) -> list[Any]:
        return [layer for layer in self._viewer.layers if isinstance(layer, self._kind)]

    def _renew(self, event: Any) -> None:
        self.reset_choices()

    def required(self) -> Any:
        """The layer that is chosen.

        Raises
        ------
        sorby.Error
            There is none.
        """
        if self.value is None:
            raise sorby.Error(f"{self.label}: there is no such layer; open or paint one first")
        return self.value


def required_folder(row: FileEdit, what: str) -> Path:
    """The folder that is chosen.

    Raises
    ------
    sorby.Error
        None is.
    """
    path = Path(row.value)
    if str(path) in ("", "."):
        raise sorby.Error(f"{row.label}: choose {what}")
    return path
