"""Lays four sets of real micrographs in one form: grey PNG, labels of indices.

`make_real_sets.py DATA OUT` reads the folders `uhcs-spheroidite`, `super`,
`uhcs-microconstituents` and `metaldam` below DATA and writes, for each, a folder
below OUT with `images/STEM.png`, `labels/STEM.png` and `dataset.toml` with the
splits `train`, `val` and `test`. Where a set has no test images of its own,
`test` is the validation split. MetalDAM has no published split that can be used;
ours takes its images in the order of their numbers: of every five, the third
validates and the fifth tests.

Splits `k1-s0` to `k10-s4` hold 1, 2, 4 and 10 of the training images, five draws each, nested: those of k = 1 are
in k = 2 and so on. Of the orders that a draw tries it takes one whose first image shows the most classes.
"""

import argparse
import json
import re
from pathlib import Path

import cv2
import numpy as np

FEW = (1, 2, 4, 10)
DRAWS = 5
DUPLICATE = "800C-24H-Q-7"  # the same picture as 800C-24H-Q-1


def grey(path, rows=None):
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[:rows]


def spheroidite(folder):
    folds = json.loads((folder / "folds.json").read_text())
    folds = folds if isinstance(folds, list) else [folds[key] for key in sorted(folds)]
    val = set(folds[-1])
    for path in sorted((folder / "images").glob("*.png")):
        stem = path.stem
        if stem != DUPLICATE and any(stem in fold for fold in folds):
            label = cv2.imread(str(folder / "labels" / path.name), cv2.IMREAD_UNCHANGED)
            yield "val" if stem in val else "train", stem, grey(path), label


def superalloy(folder):
    for split in ("train", "val", "test"):
        for path in sorted((folder / split).glob("*.tif*")):
            painted = next((folder / f"{split}_annot").glob(f"{path.stem}*"))
            bgr = cv2.imread(str(painted), cv2.IMREAD_COLOR)
            label = np.zeros(bgr.shape[:2], np.uint8)
            label[(bgr == (255, 0, 0)).all(2)] = 1
            label[(bgr == (0, 0, 255)).all(2)] = 2
            yield split, path.stem, grey(path), label


def microconstituents(folder):
    for split, name in (("train", "train"), ("val", "validate")):
        for path in sorted((folder / name / "images").glob("*.tif")):
            label = grey(next((folder / name / "labels").glob(f"{path.stem}*")))
            yield split, path.stem, grey(path), label // 85


def metaldam(folder):
    number = lambda path: int(re.sub(r"\D", "", path.stem))
    for place, path in enumerate(sorted((folder / "labels").glob("*.png"), key=number)):
        label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        label = label if label.ndim == 2 else label[:, :, 0]
        split = {2: "val", 4: "test"}.get(place % 5, "train")
        yield split, path.stem, grey(folder / "images" / f"{path.stem}.jpg", len(label)), label


SETS = {
    "spheroidite": ("uhcs-spheroidite", spheroidite, ["matrix", "carbide"]),
    "super": ("super", superalloy, ["matrix", "large", "small"]),
    "microconstituents": ("uhcs-microconstituents", microconstituents,
                          ["matrix", "network", "spheroidite", "widmanstatten"]),
    "metaldam": ("metaldam", metaldam, ["matrix", "austenite", "martensite_austenite", "precipitate", "defect"]),
}


def few_labels(stems, shown):
    """Nested subsets of the training images, by name of split; `shown` holds the classes of each."""
    splits = {}
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        orders = [rng.permutation(len(stems)) for _ in range(20)]
        order = max(orders, key=lambda o: (len(shown[stems[o[0]]]), len(set().union(*(shown[stems[i]] for i in o[:4])))))
        splits |= {f"k{k}-s{draw}": [stems[i] for i in order[:k]] for k in FEW if k <= len(stems)}
    return splits


def write(out, found, classes):
    splits, shown = {"train": [], "val": [], "test": []}, {}
    for part in ("images", "labels"):
        (out / part).mkdir(parents=True, exist_ok=True)
    for split, stem, image, label in found:
        assert image.shape == label.shape and label.max() < len(classes), stem
        cv2.imwrite(str(out / "images" / f"{stem}.png"), image)
        cv2.imwrite(str(out / "labels" / f"{stem}.png"), label)
        splits[split].append(stem)
        counts = np.bincount(label.ravel(), minlength=len(classes))
        shown[stem] = {c for c, n in enumerate(counts) if n > 200}
    splits["test"] = splits["test"] or splits["val"]
    splits |= few_labels(splits["train"], shown)
    lines = [f'[[classes]]\nname = "{name}"' for name in classes]
    lines += ['[[folders]]\nimages = "images"\nlabels = "labels"', "[splits]"]
    lines += [f"{split} = {json.dumps(stems)}" for split, stems in splits.items()]
    (out / "dataset.toml").write_text("\n".join(lines) + "\n")
    firsts = [len(shown[splits[f"k1-s{draw}"][0]]) for draw in range(DRAWS)]
    print(out.name, {split: len(splits[split]) for split in ("train", "val", "test")}, "classes of k = 1:", firsts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    for name, (folder, read, classes) in SETS.items():
        write(args.out / name, read(args.data / folder), classes)


if __name__ == "__main__":
    main()
