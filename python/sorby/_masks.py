"""Masks on disk, with their classes, colours and pixel size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from sorby import _arrays, _sorby
from sorby._data import StrPath
from sorby._events import say

Colour = tuple[int, int, int]


class MaskInfo(TypedDict):
    """What a mask's file says besides its pixels."""

    #: Nanometres per pixel; None where the file does not state it.
    pixel_size_nm: float | None
    #: Who states it.
    source: str | None
    #: Names of the classes in index order; empty where the file does not name them.
    classes: list[str]
    #: Red, green and blue, 0 to 255, of each class.
    colours: list[Colour]


def is_mask(path: StrPath) -> bool:
    """Whether a file is a mask that Sorby wrote: a PNG whose note says what its values mean."""
    return _sorby.is_own_mask(path)


def read_mask(path: StrPath) -> tuple[npt.NDArray[np.uint8], MaskInfo]:
    """Read a mask of classes as ``sorby measure`` reads it.

    Returns
    -------
    (rows, columns) array of uint8 with class indices, 255 where unknown; and `MaskInfo`.

    Raises
    ------
    sorby.Error
        The file cannot be read, its values may mean several things or are numbers of objects, or two statements of its
        pixel size contradict each other.
    """
    mask, info = _sorby.read_mask(path, say=say)
    return mask, info


def write_mask(
    path: StrPath,
    mask: _arrays.Array,
    *,
    pixel_size_nm: float | None = None,
    classes: Sequence[str] = (),
    colours: Sequence[Colour] = (),
    source: str = "sorby.write_mask",
) -> None:
    """Write a mask that ``sorby measure`` reads with its pixel size: PNG, or OME-TIFF, whose classes and colours other programs
    show (Fiji, QuPath) and Sorby does not read.

    Parameters
    ----------
    path
        A name that ends in .png, .tif or .tiff. A file of this name is replaced if it is a PNG mask that Sorby wrote, and
        refused otherwise.
    mask
        (rows, columns) of whole numbers (class indices, 255 where unknown) or booleans.
    pixel_size_nm
        Pixel size in nanometres.
    classes
        Names of the classes in index order.
    colours
        Red, green and blue, 0 to 255, of the classes; default: colours that colour-blind readers distinguish.
    source
        Who states the pixel size, in words.
    """
    _sorby.write_mask(
        path,
        _arrays.mask(mask),
        classes=list(classes),
        colours=list(colours),
        nm_per_px=pixel_size_nm,
        source=source,
    )
