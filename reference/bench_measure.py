"""Times the measurement of one mask in OpenCV and scikit-image, and a sweep of thresholds by repeated labelling.

The pictures are those that `sorby bench measure --write DIR` writes. Prints one JSON line of medians in seconds.
"""

import argparse
import json
import pathlib
import statistics
import time

import cv2
import numpy as np
from skimage.measure import label, regionprops_table

PROPERTIES = (
    "label", "area", "centroid", "bbox", "equivalent_diameter_area", "perimeter_crofton", "feret_diameter_max",
    "axis_major_length", "axis_minor_length", "orientation", "solidity", "area_filled", "eccentricity", "extent",
)


def median(work, repeats):
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def contours(mask):
    cv2.connectedComponentsWithStats(mask, connectivity=8)
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for contour in found:
        cv2.contourArea(contour)
        cv2.arcLength(contour, True)
        cv2.minEnclosingCircle(contour)


def sweep(grey):
    for threshold in range(256):
        binary = (grey > threshold).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
        np.sqrt(stats[1:, cv2.CC_STAT_AREA] / np.pi).sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--repeats", type=int, default=11)
    arguments = parser.parse_args()
    mask = cv2.imread(str(arguments.folder / "mask.png"), cv2.IMREAD_UNCHANGED)
    grey = cv2.imread(str(arguments.folder / "grey.png"), cv2.IMREAD_UNCHANGED)
    labels = label(mask, connectivity=2)
    print(json.dumps({
        "opencv_labelling_s": median(lambda: cv2.connectedComponentsWithStats(mask, connectivity=8), arguments.repeats),
        "opencv_contours_s": median(lambda: contours(mask), arguments.repeats),
        "opencv_sweep_s": median(lambda: sweep(grey), 1),
        "skimage_table_s": median(lambda: regionprops_table(labels, properties=PROPERTIES), 1),
        "objects": int(labels.max()),
    }))


if __name__ == "__main__":
    main()
