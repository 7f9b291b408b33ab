"""Trains the recipe in PyTorch on a folder of images and labels.

The folder holds `images/STEM.*` and `labels/STEM.*`; the lists are text files
with one stem a line. Focal loss, SGD and the poly schedule to zero; weak (crop)
or strong augmentation; random start. At intervals and at the end it prints the
scores of single-scale sliding inference as one JSON line each.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file

import losses
import pipeline
from model import Segmentor, initialise


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train-list", type=Path, required=True)
    parser.add_argument("--val-list", type=Path, required=True)
    parser.add_argument("--arch", choices=tuple(Segmentor.HEADS), default="pspnet")
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--iterations", type=int, default=8000)
    parser.add_argument("--interval", type=int, help="iterations between scores; default a tenth")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--augment", choices=("weak", "strong"), default="weak")
    parser.add_argument("--ratio", type=float, default=1.0, help="0.5 halves every image")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", type=Path, help="safetensors file with the initial weights")
    parser.add_argument("--crops", type=Path,
                        help="train on these crops: lines of iteration, stem, row, column")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--out", type=Path, help="file for the same JSON lines")
    return parser.parse_args()


def load(folder, list_file):
    """(image, label) pairs of the listed stems, in order."""
    pairs = []
    for stem in list_file.read_text().split():
        found = [next((folder / part).glob(f"{stem}.*")) for part in ("images", "labels")]
        pairs.append((pipeline.load_image(found[0]), pipeline.load_label(found[1])))
    return pairs


def sample_order(count, rng):
    """Endless concatenation of fresh permutations."""
    while True:
        yield from rng.permutation(count)


def next_batch(pairs, order, rng, args):
    """Normalised images [B,3,256,256] and labels [B,256,256]."""
    samples = []
    for _ in range(args.batch):
        image, label = pairs[next(order)]
        image, label = pipeline.augment(image, label, rng, args.augment == "strong")
        samples.append(pipeline.pad_sample(image, label))
    images, labels = zip(*samples)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))


def listed_batches(folder, file, ratio):
    """Batches [B,3,256,256] and labels of a list of crops, iteration by iteration."""
    pairs, batches = {}, {}
    for line in file.read_text().splitlines():
        t, stem, y, x = line.split()
        batches.setdefault(int(t), []).append((stem, int(y), int(x)))
    for t in sorted(batches):
        samples = []
        for stem, y, x in batches[t]:
            if stem not in pairs:
                found = [next((folder / part).glob(f"{stem}.*")) for part in ("images", "labels")]
                pair = pipeline.load_image(found[0]), pipeline.load_label(found[1])
                pairs[stem] = pipeline.resize_pair(*pair, ratio)
            image, label = pairs[stem]
            box = np.s_[y:y + 256, x:x + 256]
            samples.append(pipeline.pad_sample(image[box], label[box]))
        images, labels = zip(*samples)
        yield torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))


def start_from(model, file):
    """Parameters of a file; running statistics as at the start of a training."""
    state = load_file(file)
    for name, tensor in model.state_dict().items():
        if name.endswith("running_mean"):
            tensor.zero_()
        elif name.endswith("running_var"):
            tensor.fill_(1.0)
        elif not name.endswith("num_batches_tracked"):
            tensor.copy_(state[name].reshape(tensor.shape))


def evaluate(model, pairs, args):
    model.eval()
    found = [(pipeline.predict(model, image, args.ratio), label) for image, label in pairs]
    model.train()
    return pipeline.scores(pipeline.class_counts(found, args.classes))


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    train = [pipeline.resize_pair(*pair, args.ratio) for pair in load(args.data, args.train_list)]
    validation = load(args.data, args.val_list)
    model = initialise(Segmentor(args.arch, num_classes=args.classes, dropout=args.dropout))
    if args.start:
        start_from(model, args.start)
    listed = listed_batches(args.data, args.crops, args.ratio) if args.crops else None
    model = model.to(memory_format=torch.channels_last).train()
    optimiser, order = losses.sgd(model), sample_order(len(train), rng)
    interval = args.interval or max(args.iterations // 10, 1)
    start, history = time.perf_counter(), []
    for t in range(args.iterations):
        image, label = next(listed) if listed else next_batch(train, order, rng, args)
        lr = losses.poly(t, args.iterations)
        history.append(losses.train_step(model, optimiser, image, label, lr))
        if (t + 1) % interval and t + 1 != args.iterations:
            continue
        result = evaluate(model, validation, args)
        line = json.dumps(dict(
            arch=args.arch, augment=args.augment, seed=args.seed, iteration=t + 1,
            loss=float(np.mean(history)), losses=[round(v, 6) for v in history], iou_percent=[round(100 * v, 2) for v in result["IoU"]],
            miou_percent=result["mIoU_percent"], accuracy=result["aAcc"],
            seconds=round(time.perf_counter() - start, 1),
        ))
        history.clear()
        print(line, flush=True)
        if args.out:
            with args.out.open("a") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
