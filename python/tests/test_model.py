"""A model on arrays."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from conftest import pixels, program

import sorby

Image = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def model(workshop: Path) -> sorby.Model:
    return sorby.load(workshop / "run")


def test_a_mask_has_the_bytes_of_the_program(workshop: Path, model: sorby.Model) -> None:
    names = [f"carbide-00{i}" for i in range(1, 6)]
    files = [f"data/images/{name}.png" for name in names]
    done = program("segment", "run", *files, "--out", "masks", "--probabilities", cwd=workshop)
    assert done.returncode == 0, done.stderr
    for name, file in zip(names, files, strict=True):
        image = pixels(workshop / file)
        mask = model.predict(image)
        assert mask.dtype == np.uint8 and mask.shape == image.shape
        np.testing.assert_array_equal(mask, pixels(workshop / f"masks/masks/{name}.png"))
        grey = np.round(model.predict_proba(image)[1] * 255).astype(np.uint8)
        np.testing.assert_array_equal(grey, pixels(workshop / f"masks/probabilities/{name}-carbide.png"))


def test_probabilities_are_of_every_class(model: sorby.Model, image: Image) -> None:
    probabilities = model.predict_proba(image)
    assert probabilities.dtype == np.float32 and probabilities.shape == (2, 96, 120)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=0), model.predict(image, data_bar=False))


def test_the_model_says_what_it_is(model: sorby.Model) -> None:
    assert model.classes_ == ["matrix", "carbide"]
    low, high = model.pixel_size_nm_ or (0, 0)
    assert low == high == 12.5
    assert "matrix, carbide" in repr(model)


def test_trust_is_by_class(model: sorby.Model, image: Image) -> None:
    trust = model.trust(image, pixel_size_nm=12.5)
    assert list(trust.expected_iou) == ["matrix", "carbide"]
    assert trust.confidence is not None and 0 < trust.confidence <= 1
    matrix = trust.expected_iou["matrix"]
    assert matrix is not None and 0 <= matrix.value <= 1
    far = model.trust(image, pixel_size_nm=99.0).expected_iou["matrix"]
    assert far is not None and np.isnan(far.low), "of another magnification there is no interval"


def test_the_same_values_in_other_types_and_layouts(model: sorby.Model, image: Image) -> None:
    mask = model.predict(image)
    for same in (
        np.asfortranarray(image),
        np.repeat(image, 2, axis=1)[:, ::2],
        image.astype(np.uint16) * 257,
        (image.astype(np.uint16) * 257).astype(">u2"),
        (image / 255).astype(np.float32),
        np.stack([image] * 3, axis=-1),
        np.stack([image] * 3)[::-1].transpose(1, 2, 0),
        image.tolist() and np.array(image.tolist(), dtype=np.uint8),
    ):
        np.testing.assert_array_equal(model.predict(same), mask)


def test_what_is_no_image_is_refused_in_a_sentence(model: sorby.Model, image: Image) -> None:
    nan = image.astype(np.float32) / 255
    nan[3, 4] = np.nan
    for wrong, words in (
        (nan, "1 values of the image are no numbers (NaN or infinite); replace them first"),
        (np.zeros((4, 5, 6), np.uint8), "must have the shape (rows, columns), or (rows, columns, 3)"),
        (np.zeros(7, np.uint8), "not (7)"),
        (np.zeros((0, 5), np.uint8), "the image is empty"),
        (image.astype(np.float64), "the image has the type float64; give uint8, uint16 or float32"),
        (image.astype(np.complex64), "complex64"),
    ):
        with pytest.raises(sorby.Error) as refused:
            model.predict(wrong)
        assert words in str(refused.value) and "\n" not in str(refused.value)


def test_errors_are_the_text_of_the_program(workshop: Path, tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    with pytest.raises(sorby.Error) as refused:
        sorby.load("no.safetensors")
    said = program("segment", "no.safetensors", str(workshop / "data/images"), "--out", "o", cwd=tmp_path)
    assert said.stderr.splitlines()[-1] == f"error: {refused.value}"


def test_other_threads_go_on_meanwhile(model: sorby.Model, image: Image) -> None:
    large = np.tile(image, (4, 4))
    longest, last, going = 0.0, time.perf_counter(), True

    def count() -> None:
        nonlocal longest, last
        while going:
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    begun = time.perf_counter()
    model.predict(large)
    took = time.perf_counter() - begun
    going = False
    thread.join()
    assert longest < took / 2, f"held for {longest:.2f} of {took:.2f} s"


def test_a_callback_sees_windows_and_stops(model: sorby.Model, image: Image) -> None:
    seen: list[sorby.Progress] = []
    model.predict(image, on_progress=seen.append)
    assert seen[0].done == 0 and seen[0].total == 6 and seen[0].unit == "windows"
    with pytest.raises(sorby.Error, match="stopped"):
        model.predict(image, on_progress=lambda _: False)
    with pytest.raises(ZeroDivisionError):
        model.predict(image, on_progress=lambda _: 1 / 0)


def test_another_magnification_is_matched_as_the_program_does(workshop: Path, model: sorby.Model, image: Image) -> None:
    file = "data/images/carbide-001.png"
    line = ["segment", "run", file, "--nm-per-px", "25", "--match-scale", "--out", "matched"]
    done = program(*line, cwd=workshop)
    assert done.returncode == 0, done.stderr
    matched = model.predict(image, pixel_size_nm=25, match_scale=True)
    np.testing.assert_array_equal(matched, pixels(workshop / "matched/masks/carbide-001.png"))
    probabilities = model.predict_proba(image, pixel_size_nm=25, match_scale=True)
    assert np.abs(probabilities - model.predict_proba(image)).max() > 1e-3, "seen larger, it looks different"
    np.testing.assert_array_equal(
        model.predict_proba(image, pixel_size_nm=12.5, match_scale=True), model.predict_proba(image)
    )
    with pytest.raises(sorby.Error, match="needs the image's pixel size"):
        model.predict(image, match_scale=True)


def test_a_number_of_threads_changes_no_byte(workshop: Path, model: sorby.Model, image: Image) -> None:
    for threads in (1, 3):
        seen: list[sorby.Progress] = []
        limited = sorby.load(workshop / "run", threads=threads)
        found = limited.predict_proba(image, on_progress=seen.append)
        np.testing.assert_array_equal(found, model.predict_proba(image))
        assert seen[0].unit == "windows"
    for wrong, words in ((0, "threads must be at least 1"), (100_000, "at most")):
        with pytest.raises(sorby.Error, match=words):
            sorby.load(workshop / "run", threads=wrong)
    with pytest.raises(ZeroDivisionError):
        limited.predict(image, on_progress=lambda _: 1 / 0)


def test_an_ensemble_averages_its_members(
    workshop: Path, model: sorby.Model, image: Image, tmp_path: Path
) -> None:
    sorby.train(workshop / "data", workshop / "tiny.toml", out=tmp_path / "other", set=["arch=pspnet"])
    both = sorby.load(workshop / "run", ensemble=[tmp_path / "other"]).predict_proba(image)
    other = sorby.load(tmp_path / "other").predict_proba(image)
    np.testing.assert_allclose(both, (model.predict_proba(image) + other) / 2, atol=1e-6)
    with pytest.raises(sorby.Error, match="is the same model once more"):
        sorby.load(workshop / "run", ensemble=[workshop / "run"])


def test_threads_share_a_model(model: sorby.Model, image: Image) -> None:
    mask = model.predict(image)
    seen: list[sorby.Progress] = []
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(model.predict, image, on_progress=seen.append) for _ in range(6)]
        for one in waiting:
            np.testing.assert_array_equal(one.result(timeout=120), mask)
    assert len(seen) >= 6
