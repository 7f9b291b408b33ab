"""Labels layers as masks that `sorby measure` reads with their pixel size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import sorby

from sorby_napari import _layers, _scale


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer as a mask: PNG with classes and colours, or TIFF.

    Raises
    ------
    sorby.Error
        The layer holds numbers of objects or values above 255, the file is a micrograph, or it cannot be written.
    """
    name, metadata = meta.get("name", Path(path).stem), meta.get("metadata", {})
    _layers.refuse_objects(name, metadata)
    said = _layers.said(metadata)
    classes = said.get("classes", [])
    mask = np.asarray(data)
    # A class that was painted and has no name yet.
    known = mask[mask != _layers.UNKNOWN]
    if classes and known.size and int(known.max()) >= len(classes):
        classes = [*classes, *(f"class {i}" for i in range(len(classes), int(known.max()) + 1))]
    units = meta.get("units") or ("pixel", "pixel")
    sorby.write_mask(
        path,
        mask,
        pixel_size_nm=_scale.in_nm(name, meta["scale"], units),
        classes=classes,
        colours=said.get("colours", []),
        source=f"scale of the layer {name} in napari",
    )
    return [path]
