"""Reader, writer and samples: what napari shows is what the files say, and the other way round."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sorby
from conftest import program
from napari.layers import Image, Labels

PLUGIN = "sorby-napari"


def of_one_size(layer: Any, nm: float) -> bool:
    return np.allclose(layer.scale, nm) and [str(unit) for unit in layer.units] == ["nanometer"] * 2


def test_a_mask_comes_with_scale_classes_and_colours(viewer: Any, workshop: Path, tmp_path: Path) -> None:
    labels, _ = sorby.read_mask(workshop / "data/labels/carbide-001.png")
    file = tmp_path / "mask.png"
    colours = [(1, 2, 3), (200, 100, 50)]
    sorby.write_mask(file, labels, pixel_size_nm=12.5, classes=["matrix", "carbide"], colours=colours)
    (layer,) = viewer.open(file, plugin=PLUGIN)
    mask, info = sorby.read_mask(file)
    assert isinstance(layer, Labels) and of_one_size(layer, 12.5)
    np.testing.assert_array_equal(layer.data, mask)
    counts = np.bincount(mask.ravel(), minlength=2)
    assert list(layer.features["index"]) == list(layer.features["label"]) == [0, 1]
    assert list(layer.features["class"]) == info["classes"] == ["matrix", "carbide"]
    assert list(layer.features["area_px"]) == list(counts)
    np.testing.assert_allclose(layer.features["area_percent"], 100 * counts / mask.size)
    np.testing.assert_allclose(layer.get_color(1)[:3], np.array(colours[1]) / 255, atol=1e-6)
    row, column = np.argwhere(mask == 1)[0]
    assert "class: carbide" in layer.get_status((row * 12.5, column * 12.5), world=True)["coordinates"]


def test_a_folder_gives_all_its_masks(viewer: Any, workshop: Path) -> None:
    layers = viewer.open(workshop / "segmented", plugin=PLUGIN)
    assert [layer.name for layer in layers] == [f"carbide-00{i}" for i in range(1, 6)]
    assert all(of_one_size(layer, 12.5) for layer in layers)
    assert [layer.visible for layer in layers] == [True, False, False, False, False]


def test_images_have_the_pixel_size_of_their_file(viewer: Any, workshop: Path) -> None:
    (tiff,) = viewer.open(workshop / "segmented/masks-tiff/carbide-001.tif", plugin=PLUGIN)
    assert isinstance(tiff, Image) and of_one_size(tiff, 12.5)
    (plain,) = viewer.open(workshop / "data/images/carbide-001.png", plugin=PLUGIN)
    assert np.allclose(plain.scale, 1) and plain.metadata["sorby"]["pixel_size_nm"] is None
    np.testing.assert_array_equal(plain.data, sorby.read(workshop / "data/images/carbide-001.png")[0])


@pytest.mark.parametrize(("key", "classes"), [("carbides", ["matrix", "carbide"]), ("ferrite", None)])
def test_samples_are_scaled_and_labelled(viewer: Any, key: str, classes: list[str] | None) -> None:
    image, truth = viewer.open_sample(PLUGIN, key)
    assert image.data.shape == truth.data.shape == (480, 640)
    assert of_one_size(image, 12.5) and of_one_size(truth, 12.5) or classes is None
    assert classes is None or list(truth.features["class"]) == classes
    assert list(truth.features["index"]) == sorted(np.unique(truth.data))


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_a_saved_mask_is_measured_with_its_pixel_size(viewer: Any, sample: Any, tmp_path: Path, ending: str) -> None:
    truth = sample[1]
    # Micrometres are nanometres in other words.
    truth.scale, truth.units = (0.02, 0.02), ("um", "um")
    path = tmp_path / f"mask.{ending}"
    viewer.layers.selection = {truth}
    assert viewer.layers.save(str(path), selected=True, plugin=PLUGIN) == [str(path)]
    mask, info = sorby.read_mask(path)
    np.testing.assert_array_equal(mask, truth.data)
    assert info["pixel_size_nm"] == pytest.approx(20, rel=1e-9)
    assert info["classes"] == (["matrix", "carbide"] if ending == "png" else [])
    said = json.loads(program("--json", "measure", str(path), "--out", "m", cwd=tmp_path).stdout)["estimates"]
    ours = sorby.measure(truth.data, pixel_size_nm=20).field["mean_diameter_nm"]
    assert said["mean_diameter_nm"]["estimate"]["value"] == pytest.approx(ours.value, rel=1e-9)


def test_what_must_not_be_written_is_refused(viewer: Any, sample: Any, workshop: Path, tmp_path: Path) -> None:
    truth = sample[1]
    viewer.layers.selection = {truth}
    micrograph = workshop / "data/images/carbide-001.png"
    before = micrograph.read_bytes()
    with pytest.raises(sorby.Error, match="is not a mask that Sorby wrote"):
        viewer.layers.save(str(micrograph), selected=True, plugin=PLUGIN)
    assert micrograph.read_bytes() == before
    truth.metadata = {"sorby": {"objects": True}}
    with pytest.raises(sorby.Error, match="numbers of objects"):
        viewer.layers.save(str(tmp_path / "a.png"), selected=True, plugin=PLUGIN)
    assert not (tmp_path / "a.png").exists()
