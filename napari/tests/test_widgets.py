"""Segment, Measure and Pixel size in a real window."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sorby

Widget = Callable[[str], Any]
Finish = Callable[[Any], None]
Messages = list[tuple[str, str]]


@pytest.mark.parametrize("tta", [False, True])
def test_the_mask_is_that_of_predict(
    viewer: Any, widget: Widget, finish: Finish, sample: Any, workshop: Path, tta: bool
) -> None:
    image = sample[0]
    segment = widget("Segment")
    segment.model.value, segment.tta.value = workshop / "run", tta
    assert segment.image.value == image
    segment.start.changed.emit(True)
    assert segment.job.running
    finish(segment.job)
    layer = viewer.layers["carbide mask"]
    model = sorby.load(workshop / "run", tta=tta)
    np.testing.assert_array_equal(layer.data, model.predict(image.data))
    assert layer.data.dtype == np.uint8
    np.testing.assert_allclose(layer.scale, image.scale)
    assert layer.units == image.units and str(layer.units[0]) == "nanometer"
    assert list(layer.features["index"]) == [0, 1] and list(layer.features["class"]) == model.classes_
    np.testing.assert_allclose(layer.get_color(1)[:3], np.array(model.colours_[1]) / 255, atol=1e-6)


def test_another_magnification_is_said(
    widget: Widget, finish: Finish, sample: Any, workshop: Path, messages: Messages
) -> None:
    sample[0].scale = (30, 30)
    segment = widget("Segment")
    segment.model.value = workshop / "run"
    segment.segment()
    finish(segment.job)
    assert any("has pixels of 30 nm, but the model learnt from 12.5 nm" in text for _, text in messages)


def test_what_the_library_refuses_is_a_notification(
    viewer: Any, widget: Widget, finish: Finish, sample: Any, tmp_path: Path, messages: Messages
) -> None:
    segment = widget("Segment")
    segment.model.value = tmp_path
    segment.segment()
    finish(segment.job)
    with pytest.raises(sorby.Error) as error:
        sorby.load(tmp_path)
    assert messages == [("error", str(error.value))]
    viewer.layers.clear()
    segment.segment()
    assert messages[-1] == ("error", "Image: there is no such layer; open or paint one first")


def test_particles_have_rows_by_their_numbers(
    viewer: Any, widget: Widget, finish: Finish, sample: Any
) -> None:
    truth = sample[1]
    measure = widget("Measure")
    assert measure.class_.current_choice == "carbide"
    measure.measure()
    finish(measure.job)
    layer = viewer.layers["carbide particles"]
    expected = sorby.measure(truth.data, pixel_size_nm=12.5)
    np.testing.assert_array_equal(layer.data, expected.labels[0])
    assert list(layer.features["index"]) == list(layer.features["label"]) == sorted(set(np.unique(layer.data)) - {0})
    np.testing.assert_array_equal(layer.features["area"], np.bincount(layer.data.ravel())[1:])
    assert set(expected.particles) < set(layer.features.columns)
    np.testing.assert_allclose(layer.scale, 12.5)
    # The status bar shows the row of the particle under the pointer.
    last = int(layer.data.max())
    row, column = np.argwhere(layer.data == last)[0]
    status = layer.get_status((row * 12.5, column * 12.5), world=True)["coordinates"]
    assert f"label: {last}," in status and f"area: {np.sum(layer.data == last)}" in status


def test_quantities_are_shown_with_their_intervals(widget: Widget, finish: Finish, sample: Any) -> None:
    measure = widget("Measure")
    measure.measure()
    finish(measure.job)
    field = sorby.measure(sample[1].data, pixel_size_nm=12.5).field
    rows = measure.quantities.rows()
    assert len(rows) == len(field)
    shown = {row[0]: row[1:] for row in rows}
    value, low, high = field["mean_diameter_nm"]
    assert shown["mean diameter"] == [f"{value:.4g}", f"{low:.4g}", f"{high:.4g}", "nm"]
    assert {row[-1] for row in rows} == {"%", "1/µm²", "1/µm", "nm", ""}
    assert "12.5 nm per pixel" in measure.said.value


def test_nothing_is_measured_without_a_pixel_size(
    viewer: Any, widget: Widget, finish: Finish, sample: Any, messages: Messages
) -> None:
    truth = sample[1]
    measure = widget("Measure")
    for layer in sample:
        layer.scale, layer.units = (1, 1), ("pixel", "pixel")
    measure.measure()
    assert messages[-1][0] == "error" and "its pixel size is not known" in messages[-1][1]
    truth.scale, truth.units = (10, 20), ("nm", "nm")
    measure.measure()
    assert "10 nm high and 20 nm wide" in messages[-1][1] and len(viewer.layers) == 2
    size = widget("Pixel size")
    size.layer.value, size.nm.value = truth, 25
    size.set()
    assert np.allclose(sample[0].scale, 25) and str(sample[0].units[0]) == "nanometer"
    measure.measure()
    finish(measure.job)
    assert np.allclose(viewer.layers[-1].scale, 25)


def test_numbers_of_objects_are_not_measured_as_classes(
    viewer: Any, widget: Widget, finish: Finish, sample: Any, messages: Messages
) -> None:
    measure = widget("Measure")
    measure.measure()
    finish(measure.job)
    measure.mask.value = viewer.layers[-1]
    measure.measure()
    assert "holds numbers of objects" in messages[-1][1]
