"""The estimator over arrays."""

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import sorby

QUICK = ["schedule.iterations=50", "data.batch=2", "data.crop=64", "inference.window=64", "inference.stride=48",
         "optimizer.lr=0.01", 'augment="weak"']


def discs(seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Light discs on a dark ground, and their mask."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:80, :96]
    mask = np.zeros((80, 96), np.uint8)
    for row, column in random.uniform(5, 75, (8, 2)):
        mask |= ((rows - row) ** 2 + (columns - column) ** 2 < 64).astype(np.uint8)
    return (60 + 120 * mask + random.normal(0, 6, mask.shape)).astype(np.uint8), mask


@pytest.fixture(scope="module")
def fitted() -> sorby.Segmenter:
    images, masks = zip(*map(discs, range(4)), strict=True)
    return sorby.Segmenter(set=QUICK, classes=["matrix", "disc"], pixel_size_nm=20.0).fit(images, masks)


def test_it_learns_and_scores(fitted: sorby.Segmenter) -> None:
    image, mask = discs(9)
    [found] = fitted.predict([image])
    assert found.shape == mask.shape and found.dtype == np.uint8
    assert (found == mask).mean() > 0.9
    union = [(found == c) | (mask == c) for c in (0, 1)]
    both = [(found == c) & (mask == c) for c in (0, 1)]
    expected = np.mean([b.sum() / u.sum() for b, u in zip(both, union, strict=True)])
    assert fitted.score([image], [mask]) == pytest.approx(expected)
    assert fitted.predict_proba([image])[0].shape == (2, 80, 96)
    assert fitted.classes_ == ["matrix", "disc"] and fitted.model_.pixel_size_nm_ == (20.0, 20.0)
    assert set(fitted.run_.scores["classes"]) == {"matrix", "disc"}


def test_it_is_pickled_with_its_model(fitted: sorby.Segmenter) -> None:
    image, _ = discs(9)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict([image])[0], fitted.predict([image])[0])
    assert again.get_params() == fitted.get_params()


def test_parameters_are_as_in_scikit_learn() -> None:
    one = sorby.Segmenter("lunch", validation=0)
    assert one.get_params()["recipe"] == "lunch"
    clone = type(one)(**one.get_params())
    assert clone.get_params() == one.get_params()
    assert one.set_params(validation=0.5).validation == 0.5
    with pytest.raises(ValueError, match="colour: no such parameter"):
        one.set_params(colour=1)
    with pytest.raises(sorby.Error, match="has not learnt yet"):
        one.predict([discs(0)[0]])


def test_one_image_of_floats_and_a_folder_that_stays(tmp_path: Path) -> None:
    image, mask = discs(1)
    floats = image * np.float32(40)
    with pytest.raises(sorby.Error, match="no natural black and white: set data.grey_range"):
        sorby.Segmenter(set=[*QUICK, 'data.grey_range="full"']).fit([floats], [mask])
    # Without a word on it the images decide.
    changes = [*QUICK, "schedule.iterations=2"]
    learnt = sorby.Segmenter(set=changes, out="kept").fit([floats], [mask == 1])
    assert learnt.classes_ == ["background", "class 1"] and learnt.run_.scores == {}
    assert sorby.check("kept/data").ok and sorby.load("kept/run").classes_ == learnt.classes_
    with pytest.raises(sorby.Error, match="kept/data"):
        learnt.fit([image], [mask])


def test_mistakes_are_told() -> None:
    image, mask = discs(1)
    quick = sorby.Segmenter(set=QUICK)
    for images, masks, words in (
        ([image], [mask, mask], "1 images but 2 masks"),
        ([image, image[:50]], [mask, mask], "image 1 has 50 x 96 pixels"),
        ([image], [np.full_like(mask, 255)], "class"),
    ):
        with pytest.raises(sorby.Error, match=words):
            quick.fit(images, masks)
