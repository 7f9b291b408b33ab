"""Draws the pictures of docs/napari.md: `python pictures.py RUN ../docs/pictures`, RUN being a model of synthetic carbides."""

import sys
from pathlib import Path
from typing import Any

import napari
import numpy as np
from PIL import Image
from qtpy.QtWidgets import QApplication


def finish(job: Any) -> None:
    """Waits for a job, and for the window."""
    while job.running:
        QApplication.processEvents()
    for _ in range(50):
        QApplication.processEvents()


def picture(viewer: Any, path: Path) -> None:
    """The whole window."""
    viewer.reset_view()
    for _ in range(50):
        QApplication.processEvents()
    pixels = np.asarray(viewer.window.screenshot(canvas_only=False, flash=False))[..., :3]
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, quality=82)


def main(run: Path, out: Path) -> None:
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1400, 860)
    viewer.open_sample("sorby-napari", "carbides")
    viewer.layers["carbide truth"].visible = False
    viewer.scale_bar.visible = True
    dock, segment = viewer.window.add_plugin_dock_widget("sorby-napari", "Segment")
    segment.model.value = run
    segment.segment()
    finish(segment.job)
    picture(viewer, out / "napari-segment.jpg")
    viewer.window.remove_dock_widget(dock)
    _, measure = viewer.window.add_plugin_dock_widget("sorby-napari", "Measure")
    measure.mask.value = viewer.layers["carbide mask"]
    measure.measure()
    finish(measure.job)
    viewer.layers["carbide mask"].visible = False
    picture(viewer, out / "napari-measure.jpg")
    viewer.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
