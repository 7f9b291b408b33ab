"""Images and data sets on disk."""

from __future__ import annotations

import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypedDict

import numpy.typing as npt

from sorby import _sorby
from sorby._events import OnProgress, as_called, say

StrPath = str | PathLike[str]


class Info(TypedDict):
    """What is known of an image besides its pixels."""

    #: Nanometres per pixel; None where nobody states it.
    pixel_size_nm: float | None
    #: Who states it: the vendor's metadata and where in the file, a sidecar, the argument.
    source: str | None
    #: Rows from the top that show the specimen; those below are a data bar.
    field_rows: int


def read(
    path: StrPath,
    *,
    pixel_size_nm: float | None = None,
    bar_nm: float | None = None,
    data_bar: bool = True,
) -> tuple[npt.NDArray[Any], Info]:
    """Read a micrograph with its pixel size.

    PNG, TIFF of every kind, JPEG and BMP are read; pixel sizes come from the metadata of Zeiss, FEI/Thermo Fisher, JEOL,
    Hitachi, Tescan and others, from sidecar files, OME-XML, ImageJ and the drawn scale bar.

    Parameters
    ----------
    path
        The image file.
    pixel_size_nm
        What you say of the pixel size, in nanometres. It must agree with the file within 2 %.
    bar_nm
        Length in nanometres that is written next to the scale bar in the picture.
    data_bar
        False: all rows are the specimen, whatever they look like.

    Returns
    -------
    (rows, columns) or (rows, columns, 3) array of uint8, uint16 or float32, and `Info`.

    Raises
    ------
    sorby.Error
        The file cannot be read, or two statements of its pixel size contradict each other.
    """
    array, info = _sorby.read(path, nm_per_px=pixel_size_nm, bar_nm=bar_nm, data_bar=data_bar)
    return array, info


@dataclass(frozen=True)
class Check:
    """What a check of a data set found."""

    #: (file, what is wrong): images and labels that cannot be used.
    problems: list[tuple[str, str]]
    #: (file, what is strange): to be looked at; it may be right as it is.
    remarks: list[tuple[str, str]]
    #: Everything: classes with their share of the area, splits, pixel sizes.
    summary: dict[str, Any]
    #: The page with pictures of labels that lie wrong, if one was written.
    page: Path | None

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def check(
    data: StrPath,
    *,
    deep_s: float | None = None,
    page: StrPath | None = None,
    on_progress: OnProgress | None = None,
) -> Check:
    """Look for everything that is wrong or strange in a data set.

    Parameters
    ----------
    data
        Folder with a dataset.toml, or such a file.
    deep_s
        Also train models on parts of the data, in about so many seconds; each judges the labels it did not learn from.
    page
        HTML file to write, with pictures of labels that lie wrong.
    on_progress
        Called with a `Progress`; returning False stops.

    Returns
    -------
    Check
        Mistakes in the data are found, not raised.
    """
    text, written = _sorby.check(data, deep_s=deep_s, page=page, say=say, on_progress=as_called(on_progress))
    found = json.loads(text)
    lines = {key: [(one["file"], one["problem"]) for one in found[key]] for key in ("problems", "remarks")}
    return Check(lines["problems"], lines["remarks"], found, None if written is None else Path(written))
