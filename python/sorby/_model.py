"""A trained model on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sorby import _arrays, _sorby
from sorby._data import StrPath
from sorby._events import OnProgress, as_called, say


class Expected(NamedTuple):
    """Intersection over union that a class of a mask can be expected to have, 0 to 1."""

    #: The best guess.
    value: float
    #: Ends of the 95 % interval; NaN where the validation images say nothing of such an image.
    low: float
    high: float


class Trust(NamedTuple):
    """What can be expected of a mask without a label."""

    #: Mean calibrated probability of the class given, over the field, 0 to 1.
    confidence: float | None
    #: IoU to expect by class name; None where the model was never validated or the class has no part in the image.
    expected_iou: dict[str, Expected | None]
    #: Distance from the training images; above 1 the image is unlike them. None where the model does not know.
    distance: float | None
    #: Whether the image is unlike the training images, so that the mask may be far off.
    unlike: bool | None


class Model:
    """A trained network, ready to segment images in memory. `load` makes one.

    Attributes
    ----------
    classes_ : list of str
        Names of the classes in index order, the background or matrix first.
    colours_ : list of (int, int, int)
        Red, green and blue of each class, 0 to 255.
    pixel_size_nm_ : (float, float) or None
        Smallest and largest pixel size of the training images, in nanometres.
    """

    classes_: list[str]
    colours_: list[tuple[int, int, int]]
    pixel_size_nm_: tuple[float, float] | None

    def __init__(self, model: _sorby.Model, path: str) -> None:
        self._model = model
        self._path = path
        self.classes_ = model.classes
        self.colours_ = model.colours
        self.pixel_size_nm_ = model.nm_per_px

    def __repr__(self) -> str:
        return f"<sorby.Model {self._path}: {', '.join(self.classes_)}>"

    def _segment(
        self,
        image: _arrays.Array,
        pixel_size_nm: float | None,
        data_bar: bool,
        on_progress: OnProgress | None,
        match_scale: bool = False,
        with_probabilities: bool = False,
    ) -> dict[str, Any]:
        return self._model.segment(
            _arrays.image(image),
            nm_per_px=pixel_size_nm,
            data_bar=data_bar,
            match_scale=match_scale,
            with_probabilities=with_probabilities,
            say=say,
            on_progress=as_called(on_progress),
        )

    def predict(
        self,
        image: _arrays.Array,
        *,
        pixel_size_nm: float | None = None,
        match_scale: bool = False,
        data_bar: bool = True,
        on_progress: OnProgress | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Segment an image: the same bytes as ``sorby segment`` on a file of the same values.

        Parameters
        ----------
        image
            (rows, columns) or (rows, columns, 3) of uint8, uint16 or float32.
        pixel_size_nm
            Pixel size in nanometres, for `match_scale`.
        match_scale
            Bring an image of another magnification to the nearest pixel size that the model was trained on; the mask has the
            image's own size.
        data_bar
            False: no rows are taken for a data bar, whatever they look like.
        on_progress
            Called with a `Progress` that counts windows; returning False stops.

        Returns
        -------
        (rows, columns) of uint8
            Class indices; 255 in the rows of a data bar.
        """
        mask: npt.NDArray[np.uint8] = self._segment(image, pixel_size_nm, data_bar, on_progress, match_scale)["mask"]
        return mask

    def predict_proba(
        self,
        image: _arrays.Array,
        *,
        pixel_size_nm: float | None = None,
        match_scale: bool = False,
        data_bar: bool = True,
        on_progress: OnProgress | None = None,
    ) -> npt.NDArray[np.float32]:
        """Probability of each class for each pixel, as the network gives it; parameters as `predict`.

        Returns
        -------
        (classes, rows, columns) of float32
            0 to 1, 1 in sum over the classes; of all rows, those of a data bar too.
        """
        answer = self._segment(image, pixel_size_nm, data_bar, on_progress, match_scale, with_probabilities=True)
        probabilities: npt.NDArray[np.float32] = answer["probabilities"]
        return probabilities

    def trust(
        self,
        image: _arrays.Array,
        *,
        pixel_size_nm: float | None = None,
        match_scale: bool = False,
        data_bar: bool = True,
        on_progress: OnProgress | None = None,
    ) -> Trust:
        """What can be expected of the mask of an image without drawing a label; parameters as `predict`.

        Parameters
        ----------
        pixel_size_nm
            Pixel size in nanometres: an image of another magnification than the training images has no interval.
        """
        answer = self._segment(image, pixel_size_nm, data_bar, on_progress, match_scale)["trust"]
        nan = float("nan")
        expected = (
            None if one is None else Expected(one[0], *(one[1] or (nan, nan))) for one in answer["expected_iou"]
        )
        by_name = dict(zip(self.classes_, expected, strict=True))
        return Trust(answer["confidence"], by_name, answer["distance"], answer["unlike"])


def load(
    run: StrPath,
    *,
    device: str = "cpu",
    window_px: int | None = None,
    stride_px: int | None = None,
    tta: bool = False,
    flip: bool = False,
    adapt: bool = False,
    ensemble: Sequence[StrPath] = (),
    threads: int | None = None,
) -> Model:
    """Load the model of a run folder, or a model file.

    Parameters
    ----------
    run
        Run folder, or a .safetensors file.
    device
        `cpu`.
    window_px, stride_px
        Edge and step of the sliding window in pixels; default: those of the training.
    tta
        Average over six image scales.
    flip
        Average over mirrored images too.
    adapt
        Average over networks whose batch norms lean towards the image: for images unlike the training images.
    ensemble
        Other models of the same classes, run folders or files, whose answers are averaged with the first one's.
    threads
        Threads that segmenting may use; default: all cores. The masks are the same for any number. `on_progress` is then called
        from another thread.
    """
    model = _sorby.Model(
        run,
        device=device,
        window_px=window_px,
        stride_px=stride_px,
        tta=tta,
        flip=flip,
        adapt=adapt,
        ensemble=list(ensemble),
        threads=threads,
    )
    return Model(model, str(run))
