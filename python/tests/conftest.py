"""A synthetic data set, and a model of seconds."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import sorby

TINY = """
[data]
batch = 2
crop = 64
[schedule]
iterations = 6
validate_every = 3
checkpoint_every = 2
[inference]
window = 64
stride = 48
"""


def program(*arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    """Runs `sorby` as installed."""
    command = Path(sys.executable).parent / "sorby"
    return subprocess.run([command, *arguments], cwd=cwd, capture_output=True, text=True, **options)


def pixels(path: Path) -> npt.NDArray[np.uint8]:
    """The values of an image file; of a mask its class indices."""
    return np.asarray(Image.open(path))


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, `tiny.toml` and the trained run `run`."""
    folder = tmp_path_factory.mktemp("workshop")
    made = program("synth", "--out", "data", "--images", "5", "--size", "120x96", "--seed", "2", cwd=folder)
    assert made.returncode == 0, made.stderr
    (folder / "tiny.toml").write_text(TINY)
    sorby.train(folder / "data", folder / "tiny.toml", out=folder / "run")
    return folder


@pytest.fixture
def image(workshop: Path) -> npt.NDArray[np.uint8]:
    return pixels(workshop / "data/images/carbide-001.png")


@pytest.fixture
def label(workshop: Path) -> npt.NDArray[np.uint8]:
    return pixels(workshop / "data/labels/carbide-001.png")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path) -> None:
    """Nothing of a test lands in the source tree."""
    os.chdir(tmp_path)
