"""An estimator in the manner of scikit-learn, over arrays in memory."""

from __future__ import annotations

import inspect
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sorby import _arrays, _sorby
from sorby._data import StrPath
from sorby._events import OnProgress
from sorby._model import Model, load
from sorby._train import Run, train

_MODEL = "model.safetensors"
Images = _arrays.Array | Sequence[_arrays.Array]


class Segmenter:
    """Learn from images and masks in memory, and segment others.

    Parameters
    ----------
    recipe
        As in `sorby.train`.
    set
        Keys of the recipe to change, as in `sorby.train`.
    classes
        Names of the classes in index order; default: `background`, `class 1`, ... up to the highest index in the masks.
    pixel_size_nm
        Pixel size of all images in nanometres.
    validation
        Share of the images, the last ones, that validate: the model then knows what can be expected of its masks. With one
        image, or 0, nothing validates.
    time_s
        As many iterations as take so many seconds.
    threads
        As in `sorby.train`, for learning and for segmenting.
    out
        Folder to keep the data set (`data`) and the training (`run`) in; default: a temporary one that goes with the
        estimator.
    on_progress
        As in `sorby.train`.

    Attributes
    ----------
    model_ : Model
        The trained model.
    run_ : Run
        The training: scores of the validation, its folder.
    classes_ : list of str
        Names of the classes in index order.
    """

    model_: Model
    run_: Run
    classes_: list[str]

    def __init__(
        self,
        recipe: StrPath = "coffee",
        *,
        set: Sequence[str] = (),
        classes: Sequence[str] | None = None,
        pixel_size_nm: float | None = None,
        validation: float = 0.2,
        time_s: float | None = None,
        out: StrPath | None = None,
        device: str = "cpu",
        threads: int | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.recipe = recipe
        self.set = set
        self.classes = classes
        self.pixel_size_nm = pixel_size_nm
        self.validation = validation
        self.time_s = time_s
        self.out = out
        self.device = device
        self.threads = threads
        self.on_progress = on_progress

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of `__init__` as they are; `deep` changes nothing here."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Segmenter:
        """Change parameters; gives the estimator."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"{name}: no such parameter; there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def fit(self, images: Images, masks: Images) -> Segmenter:
        """Learn from images and their masks.

        Parameters
        ----------
        images
            List of arrays, each (rows, columns) or (rows, columns, 3) of uint8, uint16 or float32.
        masks
            As many arrays of (rows, columns): class indices, 255 where unknown; or booleans.
        """
        pictures = [_arrays.image(one) for one in _arrays.several(images)]
        labels = [_arrays.mask(one) for one in _arrays.several(masks)]
        if len(pictures) != len(labels):
            raise _sorby.Error(f"{len(pictures)} images but {len(labels)} masks")
        folder = self._folder()
        classes = self._names(labels)
        validate = self._held_out(len(pictures))
        _sorby.write_data(
            folder / "data",
            pictures,
            labels,
            classes=classes,
            nm_per_px=self.pixel_size_nm,
            validate=validate,
        )
        changes = [*self.set, *(() if validate else ('data.val=""',))]
        self.run_ = train(
            folder / "data",
            self.recipe,
            set=changes,
            out=folder / "run",
            time_s=self.time_s,
            device=self.device,
            threads=self.threads,
            on_progress=self.on_progress,
        )
        if self.run_.stopped:
            raise _sorby.Error(f"stopped after iteration {self.run_.iterations}; sorby.resume({str(self.run_.path)!r}) goes on")
        self._load(self.run_.path)
        return self

    def predict(self, images: Images) -> list[npt.NDArray[np.uint8]]:
        """A mask for each image: (rows, columns) of class indices."""
        model = self._fitted()
        return [model.predict(one, data_bar=False) for one in _arrays.several(images)]

    def predict_proba(self, images: Images) -> list[npt.NDArray[np.float32]]:
        """For each image (classes, rows, columns) of float32, 0 to 1."""
        model = self._fitted()
        return [model.predict_proba(one, data_bar=False) for one in _arrays.several(images)]

    def score(self, images: Images, masks: Images) -> float:
        """Mean intersection over union of the classes, 0 to 1, over all images together; 255 in a mask is left out."""
        labels = [_arrays.mask(one) for one in _arrays.several(masks)]
        found = self.predict(images)
        if len(found) != len(labels):
            raise _sorby.Error(f"{len(found)} images but {len(labels)} masks")
        return float(json.loads(_sorby.scores(found, labels, self.classes_))["mean_iou"])

    def _folder(self) -> Path:
        if self.out is not None:
            return Path(self.out)
        # Removed when the estimator is, or when it learns anew.
        self._temporary = tempfile.TemporaryDirectory(prefix="sorby-")
        return Path(self._temporary.name)

    def _names(self, labels: list[npt.NDArray[np.uint8]]) -> list[str]:
        if self.classes is not None:
            return list(self.classes)
        known = [label[label != 255] for label in labels]
        highest = max((int(one.max()) for one in known if one.size), default=0)
        return ["background", *(f"class {i}" for i in range(1, max(highest, 1) + 1))]

    def _held_out(self, count: int) -> int:
        if not 0 <= self.validation < 1:
            raise _sorby.Error(f"validation is a share from 0 to 1, not {self.validation}")
        if self.validation == 0 or count < 2:
            return 0
        return min(max(1, round(self.validation * count)), count - 1)

    def _load(self, model: Path) -> None:
        self.model_ = load(model, device=self.device, threads=self.threads)
        self.classes_ = self.model_.classes_

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise _sorby.Error("this estimator has not learnt yet; call fit(images, masks) first")
        return self.model_

    def __repr__(self) -> str:
        return f"<sorby.Segmenter {self.recipe}>"

    def __getstate__(self) -> dict[str, Any]:
        """With the model's file: what is unpickled segments, elsewhere too."""
        state = {k: v for k, v in self.__dict__.items() if k not in ("model_", "_temporary")}
        if hasattr(self, "model_"):
            state["_bytes"] = (self.run_.path / _MODEL).read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        model = state.pop("_bytes", None)
        self.__dict__.update(state)
        if model is not None:
            self._temporary = tempfile.TemporaryDirectory(prefix="sorby-")
            file = Path(self._temporary.name) / _MODEL
            file.write_bytes(model)
            self._load(file)
