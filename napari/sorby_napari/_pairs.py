"""Pairs of an image and its labels, as a training takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import napari.viewer
import numpy as np
import numpy.typing as npt
import sorby
from magicgui.widgets import Container, PushButton, Select
from napari.layers import Image, Labels

from sorby_napari import _layers
from sorby_napari._choices import LayerChoice
from sorby_napari._jobs import shown


@dataclass(frozen=True, eq=False)
class Pair:
    """An image layer and the labels layer that was painted on it."""

    image: Any
    labels: Any

    def __str__(self) -> str:
        return f"{self.image.name} + {self.labels.name}"

    def arrays(self, zero_is_unlabelled: bool) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]:
        """Picture and class indices. Where 0 is not labelled, the value 1 is the first class.

        Raises
        ------
        sorby.Error
            They differ in size, or the values are no classes.
        """
        picture, mask = _layers.picture(self.image), _layers.class_mask(self.labels)
        if picture.shape[:2] != mask.shape:
            sizes = ["{} x {}".format(*shape[:2]) for shape in (picture.shape, mask.shape)]
            raise sorby.Error(f"{self}: the image has {sizes[0]} pixels (rows x columns) but the labels {sizes[1]}")
        known = mask[mask != _layers.UNKNOWN]
        if known.size and not 0 <= known.min() <= known.max() < _layers.UNKNOWN:
            raise sorby.Error(f"{self.labels.name}: holds {known.min()} to {known.max()}; class indices are 0 to 254")
        classes = mask.astype(np.uint8)
        if not zero_is_unlabelled:
            return picture, classes
        unknown = (classes == 0) | (classes == _layers.UNKNOWN)
        return picture, np.where(unknown, _layers.UNKNOWN, classes - 1).astype(np.uint8)


class Pairs(Container):
    """The pairs that were chosen, in the order in which they were."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        self.pairs: list[Pair] = []
        self.image = LayerChoice(viewer, Image, "Image", "Image layer")
        self.mask = LayerChoice(viewer, Labels, "Labels", "Labels layer that was painted on this image")
        self.add = PushButton(text="Add pair")
        self.list = Select(choices=self._choices, label="Pairs", tooltip="Pairs to learn from; the last ones validate")
        self.remove = PushButton(text="Remove chosen pairs")
        super().__init__(widgets=[self.image, self.mask, self.add, self.list, self.remove])
        self.add.changed.connect(self.add_pair)
        self.remove.changed.connect(self.remove_chosen)
        viewer.layers.events.removed.connect(self._forget)

    def _choices(self, _: Any) -> list[tuple[str, Pair]]:
        return [(str(pair), pair) for pair in self.pairs]

    @shown
    def add_pair(self) -> None:
        """Take the layers that are chosen for a pair."""
        pair = Pair(self.image.required(), self.mask.required())
        pair.arrays(zero_is_unlabelled=False)
        if any(pair.image is one.image or pair.image == one.image for one in self.pairs):
            raise sorby.Error(f"{pair.image.name}: is in a pair already")
        self.pairs.append(pair)
        self.list.reset_choices()

    def remove_chosen(self, *_: Any) -> None:
        """Take the chosen pairs out of the list."""
        chosen = list(self.list.value)
        self.pairs = [pair for pair in self.pairs if not any(pair is one for one in chosen)]
        self.list.reset_choices()

    def _forget(self, event: Any) -> None:
        """A layer that was removed is no pair's any more."""
        gone = event.value
        self.pairs = [pair for pair in self.pairs if gone not in (pair.image, pair.labels)]
        self.list.reset_choices()

    def required(self) -> list[Pair]:
        """The pairs.

        Raises
        ------
        sorby.Error
            There is none.
        """
        if not self.pairs:
            raise sorby.Error("Pairs: add an image and the labels that were painted on it")
        return list(self.pairs)
