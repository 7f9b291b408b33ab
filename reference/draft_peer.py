"""Drafts of labels from the same strokes: Sorby, and scikit-image's TrainableSegmenter.

    python draft_peer.py SORBY DATA [--images 6] [--seeds 2] [--out draft_peer.json] [--table draft_peer.json]

DATA holds the folders of labelled micrographs that are read below; those that are missing are left out. A simulated
annotator who knows the label draws strokes anywhere (not where a draft is wrong, which would favour that draft). Each
program gets the same file of strokes. Needs requirements.txt and scikit-learn 1.9.
"""

import argparse
import functools
import json
import math
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import stats
from skimage import color, draw, io
from skimage.feature import multiscale_basic_features
from skimage.future import fit_segmenter, predict_segmenter
from sklearn.ensemble import RandomForestClassifier

IGNORE = 255
COUNTS = (3, 10, 30)
LENGTH_PX = 60
RADIUS_PX = 3


def grey(path):
    image = io.imread(path)
    if image.ndim == 3:
        image = (255 * color.rgb2gray(image[..., :3])).round()
    return image.astype(np.uint8)


def spheroidite(data):
    folder = data / "uhcs-spheroidite"
    # 800C-24H-Q-7 is the same picture as 800C-24H-Q-1.
    for path in sorted((folder / "images").glob("*.png")):
        if path.stem != "800C-24H-Q-7":
            yield path, (io.imread(folder / "labels" / path.name) > 0).astype(np.uint8)


def superalloy(data):
    for part in ("test", "val", "train"):
        for path in sorted((data / "super" / part).glob("*.tif")):
            rgb = io.imread(data / "super" / f"{part}_annot" / f"{path.stem}_mask.tif")[..., :3]
            label = np.zeros(rgb.shape[:2], np.uint8)
            label[(rgb == (0, 0, 255)).all(axis=2)] = 1
            label[(rgb == (255, 0, 0)).all(axis=2)] = 2
            yield path, label


def microconstituents(data):
    for part in ("validate", "train"):
        for path in sorted((data / "uhcs-microconstituents" / part / "images").glob("*.tif")):
            label = io.imread(path.parent.parent / "labels" / path.name)
            yield path, (label // 85).astype(np.uint8)


def metaldam(data):
    for path in sorted((data / "metaldam" / "images").glob("*.jpg")):
        label = io.imread(data / "metaldam" / "labels" / f"{path.stem}.png")
        yield path, (label if label.ndim == 2 else label[..., 0]).astype(np.uint8)


SETS = {
    "uhcs-spheroidite": (spheroidite, 2),
    "super": (superalloy, 3),
    "uhcs-microconstituents": (microconstituents, 4),
    "metaldam": (metaldam, 5),
}


def spread(items, count):
    """`count` of a list, as far apart as they can be."""
    return [items[i * len(items) // count] for i in range(min(count, len(items)))]


def stroke(label, target, rng, out):
    """A straight stroke through pixels of one class; its pixels of other classes are left out."""
    ys, xs = np.nonzero(label == target)
    at = rng.integers(len(ys))
    angle = rng.uniform(0, 2 * math.pi)
    end = (ys[at] + LENGTH_PX * math.sin(angle), xs[at] + LENGTH_PX * math.cos(angle))
    for y, x in zip(*draw.line(int(ys[at]), int(xs[at]), int(end[0]), int(end[1])), strict=True):
        if not (0 <= y < label.shape[0] and 0 <= x < label.shape[1]) or label[y, x] != target:
            break
        disc = draw.disk((y, x), RADIUS_PX + 0.5, shape=label.shape)
        inside = label[disc] == target
        out[disc[0][inside], disc[1][inside]] = target


def strokes(label, classes, seed):
    """Maps of strokes after 3, 10 and 30 of them. Each class that is there gets one first, in random order."""
    rng = np.random.default_rng(seed)
    present = [c for c in range(classes) if (label == c).any()]
    order = [int(c) for c in rng.permutation(present)]
    order += [int(c) for c in rng.choice(present, size=max(COUNTS))]
    out = np.full(label.shape, IGNORE, np.uint8)
    maps = {}
    for number, target in enumerate(order[: max(COUNTS)], start=1):
        stroke(label, target, rng, out)
        if number in COUNTS:
            maps[number] = out.copy()
    return maps


def miou(draft, label, classes):
    """As Sorby's scores: the mean over the classes of the label."""
    known = label < classes
    ious = []
    for c in range(classes):
        ours, theirs = (draft == c) & known, (label == c) & known
        if theirs.any():
            ious.append((ours & theirs).sum() / (ours | theirs).sum())
    return 100 * float(np.mean(ious))


class Peer:
    def __init__(self, seed, trees, depth, samples, **features):
        self.of = functools.partial(multiscale_basic_features, channel_axis=None, **features)
        self.forest = RandomForestClassifier(
            n_estimators=trees, max_depth=depth, max_samples=samples, n_jobs=-1, random_state=seed
        )

    def features(self, image):
        began = time.perf_counter()
        return self.of(image), time.perf_counter() - began

    def draft(self, features, painted):
        """The draft, and seconds for learning and prediction."""
        began = time.perf_counter()
        # What TrainableSegmenter.fit and .predict call. Classes count from 1; 0 has no stroke.
        fit_segmenter((painted + 1).astype(np.uint8), features, self.forest)
        draft = predict_segmenter(features, self.forest) - 1
        # Painted pixels keep their class, as in Sorby.
        draft = np.where(painted != IGNORE, painted, draft)
        return draft, time.perf_counter() - began


# The example of scikit-image's gallery ("Trainable segmentation using local features and random forests").
EXAMPLE = dict(trees=50, depth=10, samples=0.05, intensity=True, edges=False, texture=True, sigma_min=1, sigma_max=16)
# What is tried on images that are not measured; the best of these is "tuned".
GRID = [
    dict(trees=200, depth=depth, samples=None, edges=True, sigma_min=low, sigma_max=high)
    for low, high in ((0.5, 16), (1, 32), (1, 8))
    for depth in (10, None)
]


def sorby(program, folder, image, painted, classes, seed):
    io.imsave(folder / "image.png", image, check_contrast=False)
    io.imsave(folder / "strokes.png", painted, check_contrast=False)
    (folder / "draft.png").unlink(missing_ok=True)
    began = time.perf_counter()
    command = [program, "label", "draft", "image.png", "--strokes", "strokes.png", "--out", "draft.png"]
    more = ["--classes", str(classes), "--seed", str(seed), "--no-data-bar"]
    subprocess.run(command + more, cwd=folder, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    # The values as they are stored: indices of the palette.
    return np.array(Image.open(folder / "draft.png")), seconds


def redraft_seconds(program, folder, image, label, classes):
    """Time of a further draft, when features are there: the median of the (up to 18) drafts of `sorby label trial`."""
    data = folder / "trial"
    for part, pixels in (("images", image), ("labels", label)):
        (data / part).mkdir(parents=True, exist_ok=True)
        io.imsave(data / part / "one.png", pixels, check_contrast=False)
    names = "".join(f'[[classes]]\nname = "c{c}"\n' for c in range(classes))
    (data / "dataset.toml").write_text(names + "[scale]\nnm_per_px = 1.0\n")
    asked = [program, "label", "trial", ".", "--strokes", "3", "--json"]
    done = subprocess.run(asked, cwd=data, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return (found["images"] if isinstance(found, dict) else found)[0]["draft_s"]


def cropped(path, label):
    image = grey(path)[: label.shape[0], : label.shape[1]]
    return image, label[: image.shape[0], : image.shape[1]]


def tune(tuning, classes):
    scores = {}
    for number, settings in enumerate(GRID):
        scores[number] = []
        for name, path, label in tuning:
            image, label = cropped(path, label)
            painted = strokes(label, classes[name], seed=1000)[10]
            peer = Peer(0, **settings)
            draft, _ = peer.draft(peer.features(image)[0], painted)
            scores[number].append(miou(draft, label, classes[name]))
        print("tuning", settings, f"{np.mean(scores[number]):.1f}", flush=True)
    return GRID[max(scores, key=lambda n: np.mean(scores[n]))]


def interval(differences):
    """Mean and half of the 95 % interval over images."""
    n = len(differences)
    half = stats.t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / math.sqrt(n) if n > 1 else math.nan
    return float(np.mean(differences)), float(half)


def table(rows):
    """Means over images (of each image over seeds), paired differences with 95 % intervals over images, median times."""
    print("| set | strokes | images | Sorby | example | Sorby - example | tuned | Sorby - tuned | first draft, s: Sorby | example "
          "| tuned | next draft, s: Sorby | example | tuned |")
    print("|" + "---|" * 14)
    for name in [*dict.fromkeys(r["set"] for r in rows), "all"]:
        for count in COUNTS:
            mine = [r for r in rows if name in (r["set"], "all") and r["strokes"] == count]
            images = list(dict.fromkeys((r["set"], r["image"]) for r in mine))

            def per_image(key, mine=mine, images=images):
                return np.array([np.mean([r[key] for r in mine if (r["set"], r["image"]) == i]) for i in images])

            cells = [name, str(count), str(len(images)), f"{per_image('sorby').mean():.1f}"]
            for peer in ("example", "tuned"):
                mean, half = interval(per_image("sorby") - per_image(peer))
                cells += [f"{per_image(peer).mean():.1f}", f"{mean:+.1f} ± {half:.1f}"]
            cells.append(f"{np.median([r['sorby_s'] for r in mine]):.2f}")
            for peer in ("example", "tuned"):
                first = np.median([r[f"{peer}_features_s"] + r[f"{peer}_draft_s"] for r in mine])
                cells.append(f"{first:.2f}")
            cells.append(f"{np.median([r['sorby_again_s'] for r in mine]):.3f}")
            cells += [f"{np.median([r[f'{peer}_draft_s'] for r in mine]):.2f}" for peer in ("example", "tuned")]
            print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sorby", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path, help="print the table of an --out file that may not be complete")
    args = parser.parse_args()
    if args.table:
        return table(json.loads(args.table.read_text())["rows"])
    program = str(args.sorby.resolve())
    classes = {name: count for name, (_, count) in SETS.items()}
    tuning, measured = [], []
    for name, (read, _) in SETS.items():
        items = list(read(args.data))
        chosen = spread(items, args.images + 1)
        tuning += [(name, *item) for item in chosen[-1:]]
        measured += [(name, *item) for item in chosen[:-1]]
    # The sets take turns.
    measured = [measured[i] for i in sorted(range(len(measured)), key=lambda i: (i % args.images, i))]
    tuned = tune(tuning, classes)
    print("tuned:", tuned, flush=True)
    rows, peers = [], {"example": EXAMPLE, "tuned": tuned}
    with tempfile.TemporaryDirectory() as folder:
        for name, path, label in measured:
            image, label = cropped(path, label)
            again_s = redraft_seconds(program, Path(folder), image, label, classes[name])
            cached = {peer: Peer(0, **settings).features(image) for peer, settings in peers.items()}
            for seed in range(args.seeds):
                for count, painted in strokes(label, classes[name], seed).items():
                    row = {"set": name, "image": path.stem, "seed": seed, "strokes": count}
                    draft, row["sorby_s"] = sorby(program, Path(folder), image, painted, classes[name], seed)
                    row["sorby"] = miou(draft, label, classes[name])
                    row["sorby_again_s"] = again_s
                    for peer, settings in peers.items():
                        features, row[f"{peer}_features_s"] = cached[peer]
                        draft, row[f"{peer}_draft_s"] = Peer(seed, **settings).draft(features, painted)
                        row[peer] = miou(draft, label, classes[name])
                    rows.append(row)
            print(name, path.stem, f"{rows[-1]['sorby']:.1f} {rows[-1]['example']:.1f} {rows[-1]['tuned']:.1f}", flush=True)
            if args.out:
                args.out.write_text(json.dumps({"tuned": tuned, "rows": rows}))
    table(rows)


if __name__ == "__main__":
    main()
