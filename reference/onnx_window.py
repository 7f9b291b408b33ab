"""Segment a micrograph with an exported model: `python onnx_window.py model.onnx image.png mask.png`.

Needs onnxruntime, numpy, opencv-python-headless. The mask holds the index of each pixel's class, as Sorby's does.
Export with `--dynamic` if an image may be smaller than the model's window.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime


def starts(length, window, step):
    """Where windows begin along a side; the last one is shifted back to the edge."""
    count = -(-max(length - window, 0) // step) + 1
    return [max(min(i * step + window, length) - window, 0) for i in range(count)]


def to_16_bits(image, black, white):
    """Stored values to 0..65535, in whole steps."""
    share = (image - np.float32(black)).astype(np.float64) / float(np.float32(white) - np.float32(black))
    return np.floor(65535 * np.clip(share, 0, 1) + 0.5)


def network_input(stored, notes):
    """What the network takes, from what the file holds: grey range, then size."""
    image, scale = stored.astype(np.float32), float(notes["input_scale"])
    if notes["grey_range"] == "percentile":
        ordered = np.sort(image, axis=None)
        low, high = (ordered[int(s * (ordered.size - 1) + 0.5)] for s in (0.00175, 0.99825))
        image = (to_16_bits(image, low, high) / 257).astype(np.float32)
    elif notes["grey_range"] == "full" and stored.dtype == np.uint16:
        image = image / np.float32(257)
    size = [max(int(side * scale + 0.5), 1) for side in image.shape[::-1]]
    return image if scale == 1 else cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)


def mean_logits(path, stored):
    """Logits `[classes, height, width]` of a grey image of 8 or 16 bits; the class of a pixel is the largest."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    notes = {k[6:]: v for k, v in session.get_modelmeta().custom_metadata_map.items() if k[:6] == "sorby."}
    window, step, classes = int(notes["window_px"]), int(notes["stride_px"]), len(json.loads(notes["classes"]))
    image = network_input(stored, notes)
    total, count = np.zeros((classes, *image.shape), np.float32), np.zeros(image.shape, np.float32)
    for y in starts(image.shape[0], window, step):
        for x in starts(image.shape[1], window, step):
            place = np.s_[y : y + window, x : x + window]
            total[:, *place] += session.run(["logits"], {"image": image[place][None, None]})[0][0]
            count[place] += 1
    return np.stack([cv2.resize(p, stored.shape[::-1], interpolation=cv2.INTER_LINEAR) for p in total / count])


if __name__ == "__main__":
    logits = mean_logits(sys.argv[1], cv2.imread(sys.argv[2], cv2.IMREAD_UNCHANGED))
    cv2.imwrite(sys.argv[3], np.argmax(logits, axis=0).astype(np.uint8))
