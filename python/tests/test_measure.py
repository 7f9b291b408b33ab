"""Masks to numbers, next to scikit-image."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from conftest import pixels, program
from skimage.filters import threshold_otsu
from skimage.measure import label as numbered
from skimage.measure import regionprops_table

import sorby

Mask = npt.NDArray[np.uint8]

#: Columns whose definition is scikit-image's; hulls and Feret diameters of Sorby are of pixels as squares.
SHARED = ("label", "area", "bbox", "centroid", "equivalent_diameter_area", "axis_major_length", "axis_minor_length",
          "orientation", "perimeter_crofton")


def test_columns_are_those_of_scikit_image(label: Mask) -> None:
    measured = sorby.measure(label)
    theirs = regionprops_table(numbered(label, connectivity=2), properties=SHARED)
    assert len(theirs["label"]) > 3
    for name, values in theirs.items():
        # An angle of a disc is anything; half a turn is the same axis.
        if name == "orientation":
            long = theirs["axis_major_length"] > 1.05 * theirs["axis_minor_length"]
            turned = (measured.particles[name] - values)[long]
            np.testing.assert_allclose(np.sin(turned), 0, atol=1e-6)
        elif name == "perimeter_crofton":
            # Theirs is cut off at the edge of the image.
            inside = ~measured.particles["touches_border"]
            np.testing.assert_allclose(measured.particles[name][inside], values[inside], rtol=1e-6)
        else:
            np.testing.assert_allclose(measured.particles[name], values, rtol=1e-6, err_msg=name)
    np.testing.assert_array_equal(measured.labels[0], numbered(label, connectivity=2))


def test_units_follow_the_pixel_size(label: Mask) -> None:
    in_pixels, in_nm = sorby.measure(label), sorby.measure(label, pixel_size_nm=12.5)
    assert "area_um2" not in in_pixels.particles and in_pixels.units["area"] == "px^2"
    np.testing.assert_allclose(in_nm.particles["area_um2"], in_pixels.particles["area"] * 0.0125**2)
    diameters = in_nm.particles["equivalent_diameter_area_nm"]
    np.testing.assert_allclose(diameters, 12.5 * in_pixels.particles["equivalent_diameter_area"])
    assert in_nm.units["equivalent_diameter_area_nm"] == "nm"
    assert set(in_nm.units) == set(in_nm.particles)
    assert "mean_diameter_nm" in in_nm.field and "mean_diameter_px" in in_pixels.field


def test_estimates_are_those_of_the_program(workshop: Path, tmp_path: Path) -> None:
    files = sorted((workshop / "data/labels").iterdir())
    together = sorby.measure([pixels(file) for file in files], pixel_size_nm=12.5)
    line = ["--json", "measure", str(workshop / "data/labels"), "--nm-per-px", "12.5", "--out", "m"]
    said = program(*line, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    estimates = json.loads(said.stdout)["estimates"]
    assert len(together.field) == len(estimates) > 5
    for name, one in estimates.items():
        value, half = one["estimate"]["value"], one["estimate"]["ci95"]
        assert together.field[name].value == pytest.approx(value, rel=1e-12)
        if half is None:
            assert np.isnan(together.field[name].low) and np.isnan(together.field[name].high)
        else:
            assert together.field[name].high == pytest.approx(value + half, rel=1e-12)
    assert set(together.particles["image"]) == set(range(len(files)))


def test_a_calibration_corrects_as_in_the_program(workshop: Path, tmp_path: Path) -> None:
    masks = []
    (tmp_path / "masks").mkdir()
    for file in sorted((workshop / "data/labels").iterdir()):
        # A segmentation that finds every object one pixel too small at its upper edge.
        mask = pixels(file).copy()
        mask[1:] *= mask[:-1]
        sorby.write_mask(tmp_path / "masks" / file.name, mask, pixel_size_nm=12.5, classes=["matrix", "carbide"])
        masks.append(mask)
    learn = ["measure", "masks", "--truth", str(workshop / "data/labels"), "--nm-per-px", "12.5", "--out", "learnt"]
    done = program(*learn, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "learnt/calibration.json"
    said = program("--json", "measure", "masks", "--calibration", str(file), "--out", "m", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    corrected = sorby.measure(masks, pixel_size_nm=12.5, calibration=file, class_name="carbide")
    plain = sorby.measure(masks, pixel_size_nm=12.5)
    for name, one in json.loads(said.stdout)["estimates"].items():
        assert corrected.field[name].value == pytest.approx(one["estimate"]["value"], rel=1e-9), name
    area = "area_fraction_percent"
    assert corrected.field[area].value > 1.02 * plain.field[area].value
    with pytest.raises(sorby.Error, match="say which one this is"):
        sorby.measure(masks, calibration=file)
    with pytest.raises(sorby.Error, match="pore"):
        sorby.measure(masks, calibration=file, class_name="pore")
    with pytest.raises(sorby.Error, match="min_area_px"):
        sorby.measure(masks, calibration=file, class_name="carbide", min_area_px=9)


def test_masks_of_other_types(label: Mask) -> None:
    area = sorby.measure(label).particles["area"]
    for same in (label == 1, label.astype(np.int64), np.asfortranarray(label), np.flip(np.flip(label))):
        np.testing.assert_array_equal(sorby.measure(same).particles["area"], area)
    for wrong, words in (
        (label.astype(np.float32), "the mask has the type float32"),
        (label.astype(np.int32) - 1, "the mask holds -1 to 0"),
        (np.zeros((2, 2), np.int32) + 300, "the mask holds 300 to 300"),
    ):
        with pytest.raises(sorby.Error) as refused:
            sorby.measure(wrong)
        assert words in str(refused.value)


def test_options_are_those_of_the_program(label: Mask) -> None:
    mask = np.zeros((20, 20), bool)
    mask[2:5, 2:5] = mask[5:8, 5:8] = True
    assert len(sorby.measure(mask).particles["label"]) == 1
    assert len(sorby.measure(mask, connectivity=4).particles["label"]) == 2
    assert len(sorby.measure(mask, connectivity=4, min_area_px=10).particles["label"]) == 0
    with pytest.raises(sorby.Error, match="--edges somehow: unknown; choose one of weighted, frame, exclude, all"):
        sorby.measure(mask, edges="somehow")
    with pytest.raises(sorby.Error, match="--connectivity must be 4 or 8, not 6"):
        sorby.measure(mask, connectivity=6)
    with pytest.raises(sorby.Error, match="must be a positive number of nanometres"):
        sorby.measure(mask, pixel_size_nm=-1)


def test_an_empty_mask_has_no_objects() -> None:
    none = sorby.measure(np.zeros((30, 30), np.uint8))
    assert none.particles["area"].shape == (0,) and none.field["area_fraction_percent"].value == 0


def test_thresholds(image: Mask) -> None:
    mask, value = sorby.threshold(image)
    assert value == threshold_otsu(image)
    np.testing.assert_array_equal(mask, image > value)
    local = sorby.threshold(image, method="sauvola", window_px=31)
    assert local.value is None and set(np.unique(local.mask)) == {0, 1}
    with pytest.raises(sorby.Error, match="choose otsu or sauvola"):
        sorby.threshold(image, method="yen")
