"""Sorby in napari: readers, a writer, and the widgets Segment, Measure, Train and Pixel size; see `napari.yaml`."""
