"""Scores after short trainings from few labelled images, from several starts, on a GPU: one JSON line for each.

    python make_real_sets.py DATA SETS
    python k_shot.py SETS --start builtin=WEIGHTS/deeplabv3plus.safetensors --draws 5 --k 1 4 --iterations 240 600

Each training is the program's `coffee` with another number of iterations, in PyTorch: AdamW in one cycle, cross-entropy
plus Dice, batches of four strongly augmented crops, output stride 16. `random` is always among the starts. The same
draw of images and crops serves every start, so that differences are paired. Scores: mIoU of the `test` split, single
scale, windows of 256 every 128 pixels.
"""

import argparse
import json
import math
import queue
import threading
import time
import tomllib
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.multiprocessing as mp
from safetensors.torch import load_file

import losses
import pipeline
from model import Segmentor, initialise, resize
from train_twin import sample_order


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, help="folder that make_real_sets.py made")
    parser.add_argument("--names", nargs="*", default=["spheroidite", "super", "microconstituents", "metaldam"])
    parser.add_argument("--start", action="append", default=[], help="NAME=FILE")
    parser.add_argument("--arch", choices=tuple(Segmentor.HEADS), default="deeplabv3plus")
    parser.add_argument("--k", nargs="*", default=["1", "4"], help="numbers of labelled images; all: the train split")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--iterations", nargs="*", type=int, default=[240])
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--grey", default="auto", choices=("auto", "full", "percentile"))
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1e9, help="no training begins later than this")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


class Steel:
    """A data set in memory; images float32 [H,W,3] of 0..255."""

    def __init__(self, folder, grey):
        self.manifest = tomllib.loads((folder / "dataset.toml").read_text())
        self.classes = len(self.manifest["classes"])
        # The rule of `data.grey_range = "auto"` takes percentiles for the superalloy only.
        percentile = grey == "percentile" or grey == "auto" and folder.name == "super"
        self.pairs = {}
        for path in (folder / "images").iterdir():
            image = pipeline.load_image(path)
            if percentile:
                low, high = np.percentile(image, (0.175, 99.825))
                image = np.clip((image - low) * (255 / max(high - low, 1)), 0, 255).astype(np.float32)
            self.pairs[path.stem] = image, pipeline.load_label(folder / "labels" / path.name)

    def split(self, name):
        return [self.pairs[stem] for stem in self.manifest["splits"][name]]


def batches(pairs, iterations, seed):
    """As many batches of images and labels, made in a thread of their own."""
    made = queue.Queue(maxsize=8)

    def make():
        rng = np.random.default_rng(seed)
        order = sample_order(len(pairs), rng)
        for _ in range(iterations):
            samples = [pipeline.pad_sample(*pipeline.augment(*pairs[next(order)], rng, True)) for _ in range(4)]
            made.put([torch.from_numpy(np.stack(part)) for part in zip(*samples)])

    threading.Thread(target=make, daemon=True).start()
    return (made.get() for _ in range(iterations))


def one_cycle(t, iterations, lr, warmup=0.3):
    peak = warmup * iterations - 1
    cosine = lambda a, b, x: b + (a - b) * (1 + math.cos(math.pi * x)) / 2
    if t <= peak:
        return cosine(lr / 25, lr, t / peak)
    return cosine(lr, lr / 250_000, (t - peak) / (iterations - 1 - peak))


def begin(arch, classes, start, device, seed):
    torch.manual_seed(seed)
    model = initialise(Segmentor(arch, num_classes=classes, output_stride=16))
    if start:
        missing, foreign = model.load_state_dict({k: v.float() for k, v in start.items()}, strict=False)
        assert not foreign and all("conv_seg" in key or "num_batches" in key for key in missing), (missing, foreign)
    return model.to(device, memory_format=torch.channels_last).train()


def train(model, pairs, iterations, lr, seed, device):
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, fused=device == "cuda")
    for t, (image, label) in enumerate(batches(pairs, iterations, seed)):
        for group in optimiser.param_groups:
            group["lr"] = one_cycle(t, iterations, lr)
        image = image.to(device, non_blocking=True).to(memory_format=torch.channels_last)
        optimiser.zero_grad(set_to_none=True)
        found = model.forward_train(image)
        losses.total_loss(*found, label.to(device), losses.cross_entropy_dice).backward()
        optimiser.step()


@torch.no_grad()
def segment(model, image, device, window=256):
    """Class of each pixel by the mean of overlapping windows."""
    height, width = image.shape[:2]
    planes = torch.from_numpy(pipeline.normalise(image)).to(device)
    planes = torch.nn.functional.pad(planes, (0, max(window - width, 0), 0, max(window - height, 0)))
    tall, wide = planes.shape[1:]
    boxes = pipeline.windows(tall, wide)
    total = None
    for some in (boxes[i:i + 32] for i in range(0, len(boxes), 32)):
        logits = model(torch.stack([planes[:, y1:y2, x1:x2] for y1, y2, x1, x2 in some]))
        total = torch.zeros(logits.shape[1], tall, wide, device=device) if total is None else total
        for (y1, y2, x1, x2), part in zip(some, torch.softmax(logits, 1)):
            total[:, y1:y2, x1:x2] += part
    return total[:, :height, :width].argmax(0).to(torch.uint8).cpu().numpy()


def score(model, pairs, classes, device):
    """IoU of each class over all pixels, in percent."""
    model.eval()
    found = [(segment(model, image, device), label) for image, label in pairs]
    ratios = pipeline.scores(pipeline.class_counts(found, classes))
    return [round(100 * iou, 2) for iou in ratios["IoU"].tolist()]


def work(place, jobs, args, begun, lock):
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    starts = {"random": None} | {name: load_file(file) for name, file in (s.split("=", 1) for s in args.start)}
    steels = {}
    while time.time() - begun < args.seconds:
        with lock:
            if place.value >= len(jobs):
                return
            iterations, draw, k, name, start = jobs[place.value]
            place.value += 1
        steel = steels.setdefault(name, None) or Steel(args.sets / name, args.grey)
        steels[name] = steel
        pairs = steel.split("train" if k == "all" else f"k{k}-s{draw}")
        model = begin(args.arch, steel.classes, starts[start], args.device, draw)
        before = time.perf_counter()
        train(model, pairs, iterations, args.lr, draw, args.device)
        iou = score(model, steel.split("test"), steel.classes, args.device)
        line = dict(set=name, arch=args.arch, k=k, draw=draw, iterations=iterations, start=start, lr=args.lr, grey=args.grey,
                    miou=round(float(np.mean(iou)), 2), iou=iou, s=round(time.perf_counter() - before, 1))
        with lock, args.out.open("a") as file:
            file.write(json.dumps(line) + "\n")


def summary(lines):
    """Gain over `random`, paired by draw, as mean and standard error."""
    table = {(r["set"], r["k"], r["iterations"], r["start"], r["draw"]): r["miou"] for r in lines}
    for name, k, iterations, start in sorted({key[:4] for key in table if key[3] != "random"}):
        pairs = [(table[name, k, iterations, start, d], table[name, k, iterations, "random", d]) for d in range(99)
                 if (name, k, iterations, start, d) in table and (name, k, iterations, "random", d) in table]
        if pairs:
            gain = np.array([a - b for a, b in pairs])
            error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else float("nan")
            print(f"{name:18} k {k:>3} {iterations:5} it {start:10} {np.mean([a for a, _ in pairs]):6.2f} "
                  f"random {np.mean([b for _, b in pairs]):6.2f} gain {gain.mean():+6.2f} +- {error:.2f} ({len(gain)})")


def main():
    args = arguments()
    starts = ["random"] + [s.split("=", 1)[0] for s in args.start]
    jobs = [(iterations, draw, k, name, start) for iterations in args.iterations for draw in range(args.draws)
            for k in args.k for name in args.names for start in starts]
    context = mp.get_context("spawn")
    place, lock, begun = context.Value("i", 0), context.Lock(), time.time()
    workers = [context.Process(target=work, args=(place, jobs, args, begun, lock)) for _ in range(args.workers)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    summary([json.loads(line) for line in args.out.read_text().splitlines()])


if __name__ == "__main__":
    main()
