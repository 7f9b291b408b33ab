"""Train from layers: the data set that is written, progress, cancel."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sorby

Widget = Callable[[str], Any]
Finish = Callable[[Any], None]
Messages = list[tuple[str, str]]


@pytest.fixture
def train(viewer: Any, widget: Widget, workshop: Path, tmp_path: Path) -> Any:
    """The widget with three pairs."""
    made = widget("Train")
    for i in range(1, 4):
        image, _ = sorby.read(workshop / f"data/images/carbide-00{i}.png")
        mask, _ = sorby.read_mask(workshop / f"data/labels/carbide-00{i}.png")
        place = {"scale": (12.5, 12.5), "units": ("nm", "nm")}
        made.pairs.image.value = viewer.add_image(image, name=f"image {i}", **place)
        made.pairs.mask.value = viewer.add_labels(mask.astype(int), name=f"labels {i}", **place)
        made.pairs.add_pair()
    made.recipe.value, made.folder.value = str(workshop / "tiny.toml"), tmp_path
    return made


def test_a_training_writes_a_run_that_segments(viewer: Any, train: Any, finish: Finish, tmp_path: Path, messages: Messages) -> None:
    train.classes.value = "ferrite, cementite"
    steps: list[int] = []
    train.job._told.progress.connect(lambda progress: steps.append(progress.done))
    train.train()
    finish(train.job)
    model = sorby.load(tmp_path / "run")
    assert model.classes_ == ["ferrite", "cementite"] and model.pixel_size_nm_ == (12.5, 12.5)
    manifest = tomllib.loads((tmp_path / "data/dataset.toml").read_text())
    assert manifest["scale"]["nm_per_px"] == 12.5 and len(manifest["splits"]["train"]) == 2
    mask, _ = sorby.read_mask(tmp_path / "data/labels/image-002.png")
    np.testing.assert_array_equal(mask, viewer.layers["labels 2"].data)
    assert steps and max(steps) == 6
    assert str(tmp_path / "run") in train.said.value and "mean IoU" in train.said.value
    assert ("info", train.said.value) in messages


def test_what_is_not_labelled_is_not_learnt(viewer: Any, train: Any, finish: Finish, tmp_path: Path) -> None:
    for i in range(1, 4):
        layer = viewer.layers[f"labels {i}"]
        painted = layer.data + 1
        painted[:20] = 0
        layer.data = painted
    train.zero.value = "is not labelled"
    train.train()
    finish(train.job)
    mask, _ = sorby.read_mask(tmp_path / "data/labels/image-001.png")
    painted = viewer.layers["labels 1"].data
    assert (mask[:20] == 255).all()
    np.testing.assert_array_equal(mask[20:], painted[20:] - 1)


def test_a_cancelled_training_keeps_what_was_learnt(
    train: Any, finish: Finish, qtbot: Any, workshop: Path, tmp_path: Path, messages: Messages
) -> None:
    recipe = tmp_path / "long.toml"
    recipe.write_text((workshop / "tiny.toml").read_text().replace("iterations = 6", "iterations = 100000"))
    train.recipe.value = str(recipe)
    steps: list[int] = []
    train.job._told.progress.connect(lambda progress: steps.append(progress.done))
    train.train()
    qtbot.waitUntil(lambda: bool(steps) and max(steps) >= 2, timeout=120_000)
    train.train()
    assert messages[-1] == ("error", "the widget is still at work; wait for it or cancel it")
    train.job.button.changed.emit(True)
    finish(train.job)
    assert "stopped; what was learnt is kept" in train.said.value
    assert (tmp_path / "run").is_dir() and not any(kind == "error" for kind, _ in messages[1:])


def test_pairs_that_do_not_fit_are_refused(viewer: Any, train: Any, messages: Messages) -> None:
    pairs = train.pairs
    pairs.image.value = viewer.add_image(np.zeros((5, 7), np.uint8), name="small")
    pairs.add_pair()
    assert "the image has 5 x 7 pixels (rows x columns) but the labels 96 x 120" in messages[-1][1]
    pairs.image.value = viewer.layers["image 1"]
    pairs.add_pair()
    assert messages[-1] == ("error", "image 1: is in a pair already")
    viewer.layers["image 3"].scale = (30, 30)
    train.train()
    assert "train on images of one magnification" in messages[-1][1]
    viewer.layers.remove("image 3")
    assert [str(pair) for pair in pairs.pairs] == ["image 1 + labels 1", "image 2 + labels 2"]
