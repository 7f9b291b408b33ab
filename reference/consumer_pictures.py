"""Draws the pictures of docs/python.md and docs/models.md: `python consumer_pictures.py RUN IMAGE SORBY OUT`.

RUN is a run folder, IMAGE a micrograph of 12.5 nm per pixel, SORBY the program. Needs what `cargo xtask exports` installs, and the
wheel of Sorby.
"""

import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import sorby
from onnx_window import mean_logits
from PIL import Image

NM = 12.5


def show(axes, pixels, title, **how):
    axes.imshow(pixels, interpolation="nearest", **how)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


def python(model, image, out):
    """An image, the mask, and what the mask comes to."""
    mask = model.predict(image)
    measured = sorby.measure(mask, pixel_size_nm=NM)
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.2))
    show(left, image, "sorby.read(...)", cmap="gray")
    numbers = np.ma.masked_equal(measured.labels[0], 0)
    show(middle, numbers % 20, "sorby.measure(mask).labels[0]", cmap="tab20")
    right.hist(measured.particles["equivalent_diameter_area_nm"], bins=20, color="#0072b2")
    mean = measured.field["mean_diameter_nm"]
    right.axvspan(mean.low, mean.high, color="#e69f00", alpha=0.4)
    right.axvline(mean.value, color="#e69f00")
    right.set_xlabel("equivalent_diameter_area_nm")
    right.set_title(f"mean_diameter_nm {mean.value:.0f}, {mean.low:.0f} to {mean.high:.0f}", fontsize=10)
    save(figure, out / "python.png")
    return mask


def onnx(run, image, mask, program, folder, out):
    """The mask of the program and that of ONNX Runtime."""
    path = folder / "model.onnx"
    subprocess.run([program, "model", "export", run, "--format", "onnx", "--out", path], check=True)
    theirs = np.argmax(mean_logits(str(path), image), axis=0)
    differ = int((theirs != mask).sum())
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.2))
    show(axes[0], image, "micrograph", cmap="gray")
    show(axes[1], mask, "sorby segment", cmap="cividis", vmin=0, vmax=1)
    show(axes[2], theirs, f"ONNX Runtime: {differ} of {mask.size} pixels differ", cmap="cividis", vmin=0, vmax=1)
    save(figure, out / "onnx.png")


def package(run, program, folder, out):
    """What a package holds for those who look before they load: cover and test tensors."""
    path = folder / "package.zip"
    words = ["--author", "A. Author", "--licence", "CC-BY-4.0"]
    subprocess.run([program, "model", "export", run, "--format", "bioimageio", "--out", path, *words], check=True)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        read = {name: archive.read(name) for name in names if name.endswith((".npy", ".png"))}
    cover = Image.open(io.BytesIO(next(bytes_ for name, bytes_ in read.items() if name.endswith(".png"))))
    tensors = {name: np.load(io.BytesIO(bytes_)) for name, bytes_ in read.items() if name.endswith(".npy")}
    figure, axes = plt.subplots(1, 1 + len(tensors), figsize=(12, 3.4))
    show(axes[0], cover, "cover")
    for axis, (name, tensor) in zip(axes[1:], sorted(tensors.items()), strict=True):
        show(axis, tensor[0, -1], f"{name} {tensor.shape}", cmap="gray")
    save(figure, out / "bioimageio.png")


def main(run, file, program, out):
    image, _ = sorby.read(file)
    model = sorby.load(run)
    mask = python(model, image, out)
    with tempfile.TemporaryDirectory() as folder:
        onnx(run, image, mask, program, pathlib.Path(folder), out)
        package(run, program, pathlib.Path(folder), out)


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:]))
