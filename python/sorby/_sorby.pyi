"""The compiled module; what it gives is made pleasant in the modules around it."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any, final

import numpy as np
import numpy.typing as npt

from sorby._data import Info
from sorby._masks import MaskInfo

__all__ = [
    "Error",
    "Model",
    "__version__",
    "check",
    "is_own_mask",
    "main",
    "measure",
    "own_program",
    "read",
    "read_mask",
    "report",
    "resume",
    "scores",
    "set_program",
    "study",
    "study_report",
    "threshold",
    "train",
    "write_data",
    "write_mask",
]

__version__: str

_Path = str | PathLike[str]
_Say = Callable[[str, str], object]
_Progress = Callable[[int, int, str, str], bool] | None
_Array = npt.NDArray[Any]

class Error(Exception): ...

@final
class Model:
    def __new__(
        cls,
        path: _Path,
        *,
        device: str,
        window_px: int | None,
        stride_px: int | None,
        tta: bool,
        flip: bool,
        adapt: bool,
        ensemble: Sequence[_Path],
        threads: int | None,
    ) -> Model: ...
    def segment(
        self,
        array: _Array,
        *,
        nm_per_px: float | None,
        data_bar: bool,
        match_scale: bool,
        with_probabilities: bool,
        say: _Say,
        on_progress: _Progress,
    ) -> dict[str, Any]: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def colours(self) -> list[tuple[int, int, int]]: ...
    @property
    def nm_per_px(self) -> tuple[float, float] | None: ...

def main(argv: Sequence[str]) -> int: ...
def set_program(file: str, first: Sequence[str]) -> bool: ...
def own_program() -> list[str]: ...
def read(
    path: _Path, *, nm_per_px: float | None, bar_nm: float | None, data_bar: bool
) -> tuple[_Array, Info]: ...
def check(
    data: _Path, *, deep_s: float | None, page: _Path | None, say: _Say, on_progress: _Progress
) -> tuple[str, str | None]: ...
def write_data(
    out: _Path,
    images: Sequence[_Array],
    masks: Sequence[_Array],
    *,
    classes: Sequence[str],
    nm_per_px: float | None,
    validate: int,
) -> None: ...
def is_own_mask(path: _Path) -> bool: ...
def read_mask(path: _Path, *, say: _Say) -> tuple[npt.NDArray[np.uint8], MaskInfo]: ...
def write_mask(
    path: _Path,
    array: _Array,
    *,
    classes: Sequence[str],
    colours: Sequence[tuple[int, int, int]],
    nm_per_px: float | None,
    source: str,
) -> None: ...
def measure(
    masks: Sequence[_Array],
    class_index: int,
    *,
    nm_per_px: float | None,
    connectivity: int | None,
    min_area_px: int,
    exclude_edge: bool,
    edges: str,
    split_depth_px: float | None,
    grains: bool,
    scale_accuracy_percent: float,
    calibration: _Path | None,
    class_name: str,
) -> dict[str, Any]: ...
def threshold(
    array: _Array, *, method: str, window_px: int | None, data_bar: bool
) -> tuple[npt.NDArray[np.uint8], int | None]: ...
def scores(predictions: Sequence[_Array], labels: Sequence[_Array], classes: Sequence[str]) -> str: ...
def train(
    data: _Path,
    recipe: _Path,
    *,
    overrides: Sequence[str],
    out: _Path | None,
    time_s: float | None,
    device: str,
    threads: int | None,
    say: _Say,
    on_progress: _Progress,
) -> tuple[str, str]: ...
def resume(
    run: _Path,
    *,
    data: _Path | None,
    iterations: int | None,
    device: str,
    threads: int | None,
    say: _Say,
    on_progress: _Progress,
) -> tuple[str, str]: ...
def report(
    run: _Path,
    data: _Path,
    *,
    split: str,
    class_name: str,
    out: _Path | None,
    threads: int | None,
    say: _Say,
    on_progress: _Progress,
) -> tuple[str, float | None, str | None]: ...
def study(
    spec: _Path,
    data: _Path,
    out: _Path,
    *,
    budget_s: float | None,
    jobs: int,
    threads_per_job: int,
    device: str,
    say: _Say,
    on_progress: _Progress,
) -> tuple[str, bool]: ...
def study_report(studies: Sequence[_Path], *, out: _Path | None, say: _Say) -> str: ...
