"""Micrographs and masks as layers, with their pixel size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sorby

from sorby_napari import _layers, _scale
from sorby_napari._layers import LayerData

Reader = Callable[[str], list[LayerData]]


def get_reader(path: str | list[str]) -> Reader | None:
    """The reader of a file or folder; None where it is none of Sorby's, or several files shall become a stack."""
    if isinstance(path, list):
        return None
    place = Path(path)
    if not place.is_dir():
        return read_mask if sorby.is_mask(place) else read_image
    return read_folder if _masks(place) else None


def read_image(path: str) -> list[LayerData]:
    """A micrograph; the library finds the pixel size in the file or next to it."""
    image, info = sorby.read(path)
    keywords = {
        "name": Path(path).stem,
        "rgb": image.ndim == 3,
        "metadata": {_layers.KEY: dict(info)},
        **_scale.keywords(info["pixel_size_nm"]),
    }
    return [(image, keywords, "image")]


def read_mask(path: str) -> list[LayerData]:
    """A mask with its classes, their colours and the pixel size."""
    mask, info = sorby.read_mask(path)
    place = _scale.keywords(info["pixel_size_nm"])
    name, classes = Path(path).stem, info["classes"]
    return [_layers.mask_layer(mask, name, classes, info["colours"], place, source=info["source"])]


def read_folder(path: str) -> list[LayerData]:
    """The masks of a lot or of a folder that `sorby segment` wrote. They lie upon each other: the first is visible."""
    layers = [layer for mask in _masks(Path(path)) for layer in read_mask(str(mask))]
    for _, keywords, _ in layers[1:]:
        keywords["visible"] = False
    return layers


def _masks(folder: Path) -> list[Path]:
    """The masks in a folder, or in its folder `masks`."""
    inner = folder / "masks"
    files = sorted((inner if inner.is_dir() else folder).glob("*.png"))
    return [file for file in files if sorby.is_mask(file)]
