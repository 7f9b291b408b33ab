"""Everything around the network: augmentation, sliding windows, scores.

NumPy and OpenCV versions of the specification's data pipeline, inference and
evaluation. Images are float32 [H,W,3] arrays of 0..255 (grey: three equal
channels, so the BGR to RGB swap changes nothing); labels are uint8 [H,W].
"""

import cv2
import numpy as np
import torch

from losses import IGNORE
from model import resize

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


# ------------------------------------------------------------------ images


def load_image(path):
    return cv2.imread(str(path), cv2.IMREAD_COLOR).astype(np.float32)


def load_label(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def scaled_size(width, height, ratio):
    return int(width * ratio + 0.5), int(height * ratio + 0.5)


def keep_ratio_size(width, height, ratio):
    """Target size of a test-time scale: fit the rounded box, keep the aspect."""
    box = scaled_size(width, height, ratio)
    factor = min(max(box) / max(width, height), min(box) / min(width, height))
    return scaled_size(width, height, factor)


def resize_pair(image, label, ratio):
    """Bilinear image, nearest label."""
    size = scaled_size(image.shape[1], image.shape[0], ratio)
    return (cv2.resize(image, size, interpolation=cv2.INTER_LINEAR),
            cv2.resize(label, size, interpolation=cv2.INTER_NEAREST))


def normalise(image):
    """BGR image to normalised RGB planes."""
    return ((image[:, :, ::-1] - MEAN) / STD).transpose(2, 0, 1)


# ------------------------------------------------------------ augmentation


def crop_accepted(label):
    """At least two labels, the most frequent below three quarters."""
    counts = np.bincount(label[label != IGNORE], minlength=1)
    return np.count_nonzero(counts) >= 2 and counts.max() / counts.sum() < 0.75


def random_crop(image, label, rng, crop=256):
    """Draw a box; redraw up to ten times while it is not accepted."""
    height, width = label.shape
    for draw in range(11):
        y = rng.integers(0, max(height - crop, 0) + 1)
        x = rng.integers(0, max(width - crop, 0) + 1)
        box = np.s_[y:y + crop, x:x + crop]
        if draw == 10 or crop_accepted(label[box]):
            return image[box], label[box]


def rotate_clockwise(array):
    return np.rot90(array, -1)


def cut_out(image, rng, holes=5, side=5):
    """Black squares whose top-left corner is uniform over the image."""
    image = image.copy()
    for _ in range(holes):
        x, y = rng.integers(0, image.shape[1]), rng.integers(0, image.shape[0])
        image[y:y + side, x:x + side] = 0
    return image


def truncate(image):
    return np.clip(image, 0, 255).astype(np.uint8).astype(np.float32)


def photometric(image, rng):
    """Brightness then contrast (grey images: saturation and hue do nothing)."""
    if rng.random() < 0.5:
        image = truncate(image + np.float32(rng.uniform(-32, 32)))
    if rng.random() < 0.5:
        image = truncate(image * np.float32(rng.uniform(0.5, 1.5)))
    return image


def augment(image, label, rng, strong):
    """Crop, and for strong augmentation flip, rotate, cut out and distort."""
    image, label = random_crop(image, label, rng)
    if strong:
        if rng.random() < 0.5:
            image, label = image[:, ::-1], label[:, ::-1]
        if rng.random() < 0.5:
            image, label = rotate_clockwise(image), rotate_clockwise(label)
        if rng.random() < 0.5:
            image = cut_out(image, rng)
        image = photometric(image, rng)
    return image, label


def pad_sample(image, label, crop=256):
    """Normalised planes padded with 0 and label padded with 255, right and bottom."""
    planes = np.zeros((3, crop, crop), np.float32)
    target = np.full((crop, crop), IGNORE, np.uint8)
    height, width = label.shape
    planes[:, :height, :width] = normalise(image)
    target[:height, :width] = label
    return planes, target


# --------------------------------------------------------------- inference


def windows(height, width, crop=256, stride=128):
    """Sliding windows [y1, y2, x1, x2], row by row; the last ones shifted back."""
    def spans(length):
        for i in range(max(length - crop + stride - 1, 0) // stride + 1):
            end = min(i * stride + crop, length)
            yield max(end - crop, 0), end
    return [[*rows, *columns] for rows in spans(height) for columns in spans(width)]


def slide_logits(model, planes, crop=256, stride=128, batch=1):
    """Mean of the window logits at every pixel of a normalised [3,H,W] tensor."""
    height, width = planes.shape[1:]
    boxes = windows(height, width, crop, stride)
    total, count = None, torch.zeros(height, width)
    with torch.no_grad():
        for first in range(0, len(boxes), batch):
            group = boxes[first:first + batch]
            crops = torch.stack([planes[:, y1:y2, x1:x2] for y1, y2, x1, x2 in group])
            logits = model(crops)
            if total is None:
                total = torch.zeros(logits.shape[1], height, width)
            for (y1, y2, x1, x2), part in zip(group, logits):
                total[:, y1:y2, x1:x2] += part
                count[y1:y2, x1:x2] += 1
    return total / count


def predict(model, image, ratio=1.0):
    """Single-scale class map of one image, at its own size."""
    size = image.shape[:2]
    if ratio != 1.0:
        image = cv2.resize(image, scaled_size(size[1], size[0], ratio))
    logits = slide_logits(model, torch.from_numpy(normalise(image).copy()))
    return resize(logits[None], size)[0].argmax(0).numpy().astype(np.uint8)


# ----------------------------------------------------------------- metrics


def class_counts(pairs, classes):
    """Intersection, union, prediction and label pixels per class over all images."""
    totals = {key: np.zeros(classes, np.int64) for key in ("I", "P", "L")}
    for prediction, label in pairs:
        valid = label != IGNORE
        prediction, label = prediction[valid], label[valid]
        for key, chosen in (("I", label[prediction == label]), ("P", prediction), ("L", label)):
            totals[key] += np.bincount(chosen, minlength=classes)
    totals["U"] = totals["P"] + totals["L"] - totals["I"]
    return totals


def scores(counts, beta=1.0):
    """Ratios per class (NaN for 0/0), overall accuracy, means in percent."""
    i, u, p, l = (counts[key].astype(np.float64) for key in "IUPL")
    with np.errstate(divide="ignore", invalid="ignore"):
        result = {"IoU": i / u, "Acc": i / l, "Dice": 2 * i / (p + l), "Precision": i / p,
                  "Recall": i / l}
        precision, recall = result["Precision"], result["Recall"]
        result["F"] = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
        result["aAcc"] = float(i.sum() / l.sum()) if l.sum() else float("nan")
    for key in ("IoU", "Acc", "Dice", "Precision", "Recall", "F"):
        defined = result[key][~np.isnan(result[key])]
        result[f"m{key}"] = float(defined.mean()) if defined.size else float("nan")
        result[f"m{key}_percent"] = round(100 * result[f"m{key}"], 2)
    return result
