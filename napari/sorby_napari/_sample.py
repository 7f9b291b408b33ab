"""Synthetic micrographs with their exact labels."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import sorby

from sorby_napari import _layers, _scale
from sorby_napari._layers import LayerData


def carbides() -> list[LayerData]:
    """Carbides in ferrite, 640 x 480 pixels."""
    return _synthetic("carbide")


def ferrite() -> list[LayerData]:
    """Blocky ferrite in martensite, 640 x 480 pixels."""
    return _synthetic("ferrite")


def _synthetic(kind: str, size: str = "640x480", seed: int = 1) -> list[LayerData]:
    with tempfile.TemporaryDirectory(prefix="sorby-") as folder:
        data = Path(folder) / "data"
        make = ["synth", "--kind", kind, "--images", "1", "--size", size, "--seed", str(seed), "--out", str(data)]
        made = subprocess.run([sys.executable, "-P", "-m", "sorby", *make], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise sorby.Error(made.stderr.strip().removeprefix("error: "))
        return _layers_of(data, kind)


def _layers_of(data: Path, kind: str) -> list[LayerData]:
    """The first image of a data set and its label."""
    manifest = tomllib.loads((data / "dataset.toml").read_text())
    classes = [one["name"] for one in manifest["classes"]]
    file = min((data / "images").iterdir())
    image, info = sorby.read(file, pixel_size_nm=manifest["scale"]["nm_per_px"])
    mask, label = sorby.read_mask(data / "labels" / file.name)
    place = _scale.keywords(info["pixel_size_nm"])
    keywords = {"name": kind, "metadata": {_layers.KEY: dict(info)}, **place}
    truth = _layers.mask_layer(mask, f"{kind} truth", classes, label["colours"], place, source="dataset.toml")
    return [(image, keywords, "image"), truth]
