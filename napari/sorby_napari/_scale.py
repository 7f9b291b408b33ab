"""Pixel sizes of layers: napari's scale with its units, and nanometres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sorby

if TYPE_CHECKING:
    from napari.layers import Layer

#: Two pixel sizes that differ by less are the same: the rule of the library.
_TOLERANCE = 0.02


def keywords(pixel_size_nm: float | None) -> dict[str, Any]:
    """What a new layer gets as its pixel size; nothing where it is not known."""
    if pixel_size_nm is None:
        return {}
    return {"scale": (pixel_size_nm, pixel_size_nm), "units": ("nm", "nm")}


def in_nm(name: str, scale: Sequence[float], units: Sequence[Any]) -> float | None:
    """Nanometres per pixel by the last two axes; None where the units are pixels.

    Raises
    ------
    sorby.Error
        Pixels are not square, or have no positive size.
    """
    import pint

    try:
        sizes = [
            float(abs(step) * pint.application_registry.Quantity(1, str(unit)).to("nm").magnitude)
            for step, unit in zip(scale[-2:], units[-2:], strict=True)
        ]
    except pint.DimensionalityError:
        return None
    height, width = sizes
    if not (height > 0 and width > 0):
        raise sorby.Error(f"{name}: the scale of the layer is {height:g} x {width:g} nm; pixels have a size above 0")
    if abs(height - width) > 1e-3 * width:
        raise sorby.Error(
            f"{name}: its pixels are {height:g} nm high and {width:g} nm wide; Sorby takes square pixels only"
        )
    return width


def pixel_size_nm(layer: Layer) -> float | None:
    """Nanometres per pixel of a layer, as `in_nm`."""
    return in_nm(layer.name, layer.scale, layer.units)


def require_pixel_size_nm(layer: Layer) -> float:
    """Nanometres per pixel of a layer.

    Raises
    ------
    sorby.Error
        It is not known, or as `in_nm`.
    """
    size = pixel_size_nm(layer)
    if size is None:
        raise sorby.Error(
            f"{layer.name}: its pixel size is not known, so nothing can be measured in nanometres; state it in the widget "
            "Pixel size"
        )
    return size


def common_pixel_size_nm(layers: Sequence[Layer]) -> float | None:
    """The one pixel size of several layers; None where no layer has one.

    Raises
    ------
    sorby.Error
        Some differ, or only some are known.
    """
    sizes = [(layer.name, pixel_size_nm(layer)) for layer in layers]
    known = [(name, size) for name, size in sizes if size is not None]
    if not known:
        return None
    if len(known) < len(sizes):
        missing = next(name for name, size in sizes if size is None)
        raise sorby.Error(
            f"{missing}: its pixel size is not known, but that of {known[0][0]} is; state it in the widget Pixel size"
        )
    (first, one), (last, other) = min(known, key=lambda k: k[1]), max(known, key=lambda k: k[1])
    if other > one * (1 + _TOLERANCE):
        raise sorby.Error(
            f"{first} has pixels of {one:g} nm and {last} of {other:g} nm; train on images of one magnification"
        )
    return known[0][1]


def placed_as(layer: Layer) -> dict[str, Any]:
    """Scale, units and place of the last two axes, for a layer that lies upon this one."""
    return {
        "scale": tuple(layer.scale[-2:]),
        "units": tuple(layer.units[-2:]),
        "translate": tuple(layer.translate[-2:]),
    }
