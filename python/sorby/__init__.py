"""Learn to segment steel micrographs from a handful of labelled images, and measure what is found.

Arrays are (rows, columns), colour is (rows, columns, 3). Images are uint8, uint16 or float32; masks hold class indices,
0 for the first class (background or matrix) and 255 for pixels that are left out. Lengths have their unit in their names.
Errors are `sorby.Error`, with the text that the program prints. Work is done without the interpreter's lock, and Ctrl-C
stops it.
"""

import sys as _sys

from sorby._data import Check, Info, check, read
from sorby._events import Progress
from sorby._masks import MaskInfo, is_mask, read_mask, write_mask
from sorby._measure import Estimate, Measurement, Thresholded, measure, threshold
from sorby._model import Expected, Model, Trust, load
from sorby._report import Report, Study, report, study
from sorby._segmenter import Segmenter
from sorby._sorby import Error, __version__
from sorby._sorby import set_program as _set_program
from sorby._train import Run, resume, train

# Trainings of a study, and work that the page starts, are processes of the program: here it is this interpreter's. Without
# the current folder in the path (-P): a project's folder may hold any file.
if _sys.executable:
    _set_program(_sys.executable, ["-P", "-m", "sorby"])

__all__ = [
    "Check",
    "Error",
    "Estimate",
    "Expected",
    "Info",
    "MaskInfo",
    "Measurement",
    "Model",
    "Progress",
    "Report",
    "Run",
    "Segmenter",
    "Study",
    "Thresholded",
    "Trust",
    "__version__",
    "check",
    "is_mask",
    "load",
    "measure",
    "read",
    "read_mask",
    "report",
    "resume",
    "study",
    "threshold",
    "train",
    "write_mask",
]
