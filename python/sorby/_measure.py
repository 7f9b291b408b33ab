"""From masks to numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sorby import _arrays, _sorby
from sorby._data import StrPath


class Estimate(NamedTuple):
    """A quantity with its 95 % interval."""

    value: float
    #: Ends of the interval; NaN where nothing is known of the spread (one small field, or one object that decides).
    low: float
    high: float


@dataclass(frozen=True)
class Measurement:
    """What masks hold of one class."""

    #: A column for each measure, a value for each object, named as scikit-image's `regionprops_table` names them:
    #: ``pandas.DataFrame(m.particles)`` takes it. Lengths in pixels; those with `_nm` and `_um2` where the pixel size is
    #: known. Of several masks, `image` says which.
    particles: dict[str, npt.NDArray[Any]]
    #: Unit of each column: `px`, `px^2`, `nm`, `um^2`, `rad`, `deg`, or empty.
    units: dict[str, str]
    #: Quantities over all masks, by name with unit: `area_fraction_percent`, `mean_diameter_nm`, ...
    field: dict[str, Estimate]
    #: For each mask, (rows, columns) of uint32: the number of the object (`label`) at each pixel, 0 where there is none.
    labels: list[npt.NDArray[np.uint32]]
    #: Whether the edge weight of few objects decides sizes and numbers per area, which then have no interval.
    decided_by_edge_weights: bool


def measure(
    mask: _arrays.Array | Sequence[_arrays.Array],
    *,
    pixel_size_nm: float | None = None,
    class_index: int = 1,
    connectivity: int | None = None,
    min_area_px: int = 0,
    exclude_edge: bool = False,
    edges: str = "weighted",
    split_depth_px: float | None = None,
    grains: bool = False,
    scale_accuracy_percent: float = 2.0,
    calibration: StrPath | None = None,
    class_name: str | None = None,
) -> Measurement:
    """Measure the objects of a class in a mask, or in several masks of the same pixel size together.

    Parameters
    ----------
    mask
        (rows, columns) of whole numbers (class indices, 255 where unknown) or booleans; or a list of such masks.
    pixel_size_nm
        Pixel size in nanometres; without one, results are in pixels.
    class_index
        Class to measure.
    connectivity
        8: pixels that touch at corners belong together; 4: only at edges. Default: 8, and 4 for grains.
    min_area_px
        Objects of fewer pixels are left out.
    exclude_edge
        Leave objects that touch the edge out of `particles` too.
    edges
        How objects cut by the edge count for sizes and numbers per area: `weighted` (Miles-Lantuejoul), `frame`
        (Gundersen), `exclude` or `all`.
    split_depth_px
        Take touching objects apart where their half width narrows by so many pixels.
    grains
        The objects are grains: corners do not join them.
    scale_accuracy_percent
        How well the pixel size is known: half width of its 95 % interval.
    calibration
        Errors of the segmentation, learnt from labelled images: a calibration.json, as `sorby.report` and ``sorby measure``
        write it. Quantities of `field` are corrected by it, and their intervals hold what it leaves open. It must be of the
        same class and the same rules; that the masks are of its model is for the caller to know.
    class_name
        Name of the class, which a calibration is compared with.
    """
    if calibration is not None and class_name is None:
        raise _sorby.Error("a calibration is of one class: say which one this is, class_name=\"carbide\"")
    masks = [_arrays.mask(one) for one in _arrays.several(mask)]
    answer = _sorby.measure(
        masks,
        class_index,
        nm_per_px=pixel_size_nm,
        connectivity=connectivity,
        min_area_px=min_area_px,
        exclude_edge=exclude_edge,
        edges=edges,
        split_depth_px=split_depth_px,
        grains=grains,
        scale_accuracy_percent=scale_accuracy_percent,
        calibration=calibration,
        class_name=class_name or "",
    )
    tables = answer["columns"]
    units = {name: unit for name, unit, _ in tables[0]} if tables else {}
    particles: dict[str, npt.NDArray[Any]] = {}
    if len(tables) > 1:
        counts = [len(table[0][2]) for table in tables]
        particles["image"] = np.repeat(np.arange(len(tables)), counts)
        units = {"image": "", **units}
    for column in zip(*tables, strict=True):
        particles[column[0][0]] = np.concatenate([values for _, _, values in column])
    nan = float("nan")
    field = {name: Estimate(value, *(interval or (nan, nan))) for name, value, interval in answer["estimates"]}
    return Measurement(particles, units, field, answer["numbers"], answer["ruled"])


class Thresholded(NamedTuple):
    """An image separated into light and dark."""

    #: (rows, columns) of uint8: 1 where it is lighter than the threshold, 0 elsewhere, 255 in the rows of a data bar.
    mask: npt.NDArray[np.uint8]
    #: Otsu's threshold, on the scale of 0 to 255; None for Sauvola's method, which has one for each pixel.
    value: int | None


def threshold(
    image: _arrays.Array,
    *,
    method: str = "otsu",
    window_px: int | None = None,
    data_bar: bool = True,
) -> Thresholded:
    """Separate light from dark by a traditional method.

    Parameters
    ----------
    image
        (rows, columns) or (rows, columns, 3) of uint8, uint16 or float32.
    method
        `otsu`: one threshold; `sauvola`: one for each pixel, by the window around it.
    window_px
        Edge of Sauvola's window in pixels; default: an eighth of the shorter side.
    data_bar
        False: no rows are taken for a data bar.
    """
    mask, value = _sorby.threshold(
        _arrays.image(image), method=method, window_px=window_px, data_bar=data_bar
    )
    return Thresholded(mask, value)
