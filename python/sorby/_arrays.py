"""Arrays as the module takes them: of numpy, in the byte order of this machine, masks as uint8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sorby._sorby import Error

#: What is taken for an image or a mask: an array, or whatever numpy makes one of.
Array = npt.ArrayLike


def image(array: Array) -> npt.NDArray[Any]:
    """An array of numbers in the byte order of this machine."""
    array = np.asarray(array)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def mask(array: Array) -> npt.NDArray[np.uint8]:
    """Class indices as uint8; booleans are the classes 0 and 1."""
    array = np.asarray(array)
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise Error(f"the mask has the type {array.dtype}; give class indices as whole numbers, or True and False")
    if array.size and not (0 <= array.min() and array.max() <= 255):
        raise Error(f"the mask holds {array.min()} to {array.max()}; class indices are 0 to 254, and 255 is left out")
    return array.astype(np.uint8)


def several(arrays: Array | Sequence[Array]) -> list[Any]:
    """A list of arrays as it is; one array as a list of one. An array of three dimensions is a stack of them."""
    if isinstance(arrays, np.ndarray) and arrays.ndim <= 2:
        return [arrays]
    return list(arrays)  # type: ignore[arg-type]
