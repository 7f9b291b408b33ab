"""Masks on disk, as other programs give and take them."""

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from conftest import pixels, program

import sorby

Mask = npt.NDArray[np.uint8]


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_the_program_measures_what_was_written(label: Mask, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mask.{ending}"
    sorby.write_mask(path, label, pixel_size_nm=7.5, classes=["matrix", "carbide"])
    said = program("--json", "measure", str(path), "--out", "m", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    estimates = json.loads(said.stdout)["estimates"]
    ours = sorby.measure(label, pixel_size_nm=7.5).field
    assert estimates["mean_diameter_nm"]["estimate"]["value"] == pytest.approx(ours["mean_diameter_nm"].value)


def test_a_mask_is_read_with_classes_and_colours(label: Mask, tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    sorby.write_mask(
        path, label, pixel_size_nm=7.5, classes=["matrix", "carbide"], colours=[(9, 8, 7)], source="me"
    )
    mask, info = sorby.read_mask(path)
    np.testing.assert_array_equal(mask, label)
    assert info["pixel_size_nm"] == 7.5 and info["source"] == "the mask's note (me)"
    assert info["classes"] == ["matrix", "carbide"] and info["colours"] == [(9, 8, 7), (230, 159, 0)]
    assert sorby.is_mask(path)


def test_masks_of_the_program_have_the_colours_of_the_model(workshop: Path, tmp_path: Path) -> None:
    image = workshop / "data/images/carbide-001.png"
    said = program("segment", str(workshop / "run"), str(image), "--nm-per-px", "9", "--out", "s", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    model = sorby.load(workshop / "run")
    mask, info = sorby.read_mask(tmp_path / "s/masks/carbide-001.png")
    np.testing.assert_array_equal(mask, model.predict(pixels(image)))
    assert (info["classes"], info["colours"]) == (model.classes_, model.colours_)
    assert info["pixel_size_nm"] == 9


def test_what_cannot_be_is_refused_in_a_sentence(label: Mask, workshop: Path, tmp_path: Path) -> None:
    micrograph = workshop / "data/images/carbide-001.png"
    before = micrograph.read_bytes()
    with pytest.raises(sorby.Error, match="is not a mask that Sorby wrote"):
        sorby.write_mask(micrograph, label)
    assert micrograph.read_bytes() == before and not sorby.is_mask(micrograph)
    with pytest.raises(sorby.Error, match="class indices are 0 to 254"):
        sorby.write_mask(tmp_path / "a.png", label.astype(int) + 300)
    with pytest.raises(sorby.Error, match="but the classes are 0 to 0"):
        sorby.write_mask(tmp_path / "a.png", label, classes=["matrix"])
