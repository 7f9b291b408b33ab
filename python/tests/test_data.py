"""Files, checks and reports."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import pixels
from PIL import Image

import sorby


def test_read_gives_values_and_scale(workshop: Path, tmp_path: Path) -> None:
    path = workshop / "data/images/carbide-001.png"
    array, info = sorby.read(path, pixel_size_nm=12.5)
    np.testing.assert_array_equal(array, pixels(path))
    assert info == {"pixel_size_nm": 12.5, "source": "--nm-per-px", "field_rows": 96}
    assert sorby.read(path)[1]["pixel_size_nm"] is None
    colour = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    Image.fromarray(colour).save("colour.png")
    np.testing.assert_array_equal(sorby.read("colour.png")[0], colour)
    deep = (np.arange(70, dtype=np.uint16) * 900).reshape(7, 10)
    Image.fromarray(deep).save("deep.png")
    np.testing.assert_array_equal(sorby.read("deep.png")[0], deep)


def test_a_scale_in_a_file_must_agree(tmp_path: Path) -> None:
    grey = Image.fromarray(np.zeros((64, 64), np.uint8))
    # As ImageJ writes 8 pixels per micrometre.
    grey.save("a.tif", tiffinfo={270: "ImageJ=1.53t\nunit=micron\n", 282: 8.0, 283: 8.0, 296: 1})
    info = sorby.read("a.tif")[1]
    assert info["pixel_size_nm"] == pytest.approx(125) and info["source"] == "TIFF description and resolution"
    with pytest.raises(sorby.Error, match="--nm-per-px says 20.0000 nm per pixel, but"):
        sorby.read("a.tif", pixel_size_nm=20)
    with pytest.raises(sorby.Error, match="nowhere.png"):
        sorby.read("nowhere.png")


def test_check_finds_what_is_wrong(workshop: Path, tmp_path: Path) -> None:
    sound = sorby.check(workshop / "data", page="check.html")
    assert sound.ok and sound.page == Path("check.html") and Path("check.html").is_file()
    assert [c["name"] for c in sound.summary["classes"]] == ["matrix", "carbide"]
    shutil.copytree(workshop / "data", "broken")
    Path("broken/labels/carbide-002.png").unlink()
    broken = sorby.check("broken")
    assert not broken.ok and "carbide-002" in broken.problems[0][0]
    assert sorby.check("nowhere").problems


def test_a_report_says_what_the_run_is_worth(workshop: Path) -> None:
    made = sorby.report(workshop / "run", workshop / "data", out="report.html")
    assert made.page == Path("report.html") and "<html" in made.page.read_text()
    assert made.mean_iou is not None and 0 <= made.mean_iou <= 1
    with pytest.raises(sorby.Error, match="no such class"):
        sorby.report(workshop / "run", workshop / "data", class_name="gold", out="other.html")
