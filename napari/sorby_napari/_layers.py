"""What layers hold: pixels as Sorby takes them, classes with colours and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import sorby

if TYPE_CHECKING:
    from napari.layers import Image, Labels

#: Key of what the plugin keeps in a layer's metadata: `classes` and `colours` of a mask, `objects` of numbered objects.
KEY = "sorby"
#: Value of pixels that are no class: a data bar, or not labelled.
UNKNOWN = 255
_UNKNOWN_COLOUR = (0.5, 0.5, 0.5, 0.6)

LayerData = tuple[npt.NDArray[Any], dict[str, Any], str]
Colour = tuple[int, int, int]


def picture(layer: Image) -> npt.NDArray[Any]:
    """The pixels of an image layer, without transparency.

    Raises
    ------
    sorby.Error
        The layer is a stack.
    """
    if layer.multiscale:
        raise sorby.Error(f"{layer.name}: is a pyramid of several resolutions; open the image itself")
    data = np.asarray(layer.data)
    if data.ndim != (3 if layer.rgb else 2):
        raise sorby.Error(f"{layer.name}: has {layer.ndim} dimensions; Sorby takes one image of rows and columns")
    if layer.rgb:
        data = data[..., :3]
    return data.astype(np.float32) if data.dtype == np.float64 else data


def class_mask(layer: Labels) -> npt.NDArray[Any]:
    """The class indices of a labels layer.

    Raises
    ------
    sorby.Error
        The layer is a stack, or holds numbers of objects.
    """
    data = np.asarray(layer.data)
    refuse_objects(layer.name, layer.metadata)
    if data.ndim != 2:
        raise sorby.Error(f"{layer.name}: has {data.ndim} dimensions; Sorby takes one mask of rows and columns")
    return data


def refuse_objects(name: str, metadata: Mapping[str, Any]) -> None:
    """Numbers of objects are no classes."""
    if said(metadata).get("objects"):
        raise sorby.Error(f"{name}: holds numbers of objects, not classes; choose the mask that was measured")


def said(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the plugin kept in the metadata of a layer."""
    return dict(metadata.get(KEY, {}))


def colormap(colours: Sequence[Colour]) -> Any:
    """Colours of the classes; the first class, on which the others lie, is transparent."""
    from napari.utils.colormaps import DirectLabelColormap

    table: dict[int | None, Any] = {None: _UNKNOWN_COLOUR, UNKNOWN: _UNKNOWN_COLOUR, 0: (0, 0, 0, 0)}
    table |= {i: (*(c / 255 for c in colour), 1.0) for i, colour in enumerate(colours) if i > 0}
    return DirectLabelColormap(color_dict=table, background_value=0)


def class_table(mask: npt.NDArray[np.uint8], classes: Sequence[str]) -> dict[str, list[Any]]:
    """A row for each class, and one for unknown pixels where there are any. `index` is what napari finds rows by."""
    counts = np.bincount(mask.ravel(), minlength=256)
    known = int(counts[:UNKNOWN].sum())
    present = [int(i) for i in np.flatnonzero(counts) if i >= len(classes)]
    values = [*range(len(classes)), *present]
    named = [*classes, *("unknown" if i == UNKNOWN else f"class {i}" for i in present)]
    percent = [float("nan") if i == UNKNOWN or not known else 100 * counts[i] / known for i in values]
    return {
        "index": values,
        "label": values,
        "class": named,
        "area_px": [int(counts[i]) for i in values],
        "area_percent": percent,
    }


def mask_layer(
    mask: npt.NDArray[np.uint8],
    name: str,
    classes: Sequence[str],
    colours: Sequence[Colour],
    place: Mapping[str, Any],
    **known: Any,
) -> LayerData:
    """A mask of classes as a labels layer; `place` is its scale, units and translation."""
    keywords = {
        "name": name,
        "colormap": colormap(colours),
        "features": class_table(mask, classes),
        "metadata": {KEY: {"classes": list(classes), "colours": list(colours), **known}},
        "opacity": 0.5,
        **place,
    }
    return mask, keywords, "labels"
