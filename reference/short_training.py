"""Short trainings of several variants on the same crops, and what they score: the inner part of k_shot.py.

A variant is a start and a learning rate, with or without unlabelled images. All variants of a job see the same batches
in the same order, so that their differences are paired. On a GPU every iteration after the third is one CUDA graph.
"""

import copy
import math
import queue
import threading
import time
import tomllib

import cv2
import numpy as np
import torch
from torch.nn import functional as F

import losses
import pipeline
from model import Segmentor, initialise
from train_twin import sample_order

SIDE = 256
CONFIDENT = 0.9  # a teacher's answer counts from this probability on
TEACHER_MEMORY = 0.99


# ------------------------------------------------------------------ grey values

MIDDLE, SPREAD = float(pipeline.MEAN[1]), float(pipeline.STD[1])


def percentile(image):
    low, high = np.percentile(image, (0.175, 99.825))
    return np.clip((image - low) * (255 / max(high - low, 1)), 0, 255)


def z_score(image):
    """nnU-Net's way: clipped to percentiles, then mean and standard deviation of the image itself."""
    image = np.clip(image, *np.percentile(image, (0.5, 99.5)))
    return MIDDLE + SPREAD * (image - image.mean()) / max(image.std(), 1)


def local_contrast(image, sigma=32):
    """Each pixel less the mean of its surroundings, over their standard deviation."""
    mean = cv2.GaussianBlur(image, (0, 0), sigma)
    deviation = np.sqrt(np.maximum(cv2.GaussianBlur(image * image, (0, 0), sigma) - mean * mean, 1))
    return MIDDLE + SPREAD * np.clip((image - mean) / deviation, -3, 3)


GREY = {"full": lambda image: image, "percentile": percentile, "z_score": z_score, "local": local_contrast}


class Steel:
    """A data set in memory; images float32 [H,W,3] of about 0..255."""

    def __init__(self, folder, grey):
        self.manifest = tomllib.loads((folder / "dataset.toml").read_text())
        self.classes = len(self.manifest["classes"])
        if grey == "auto":  # what the program's rule takes on these sets
            grey = "percentile" if folder.name == "super" or folder.name.endswith("-low") else "full"
        self.grey = lambda path: GREY[grey](pipeline.load_image(path)).astype(np.float32)
        self.pairs = {path.stem: (self.grey(path), pipeline.load_label(folder / "labels" / path.name))
                      for path in sorted((folder / "images").iterdir())}

    def split(self, name):
        return [self.pairs[stem] for stem in self.manifest["splits"][name]]

    def without_labels(self, labelled, folder):
        """The images of the train split that are not in `labelled`, and those of a folder."""
        rest = [s for s in self.manifest["splits"]["train"] if s not in self.manifest["splits"][labelled]]
        more = [self.grey(path) for path in sorted(folder.iterdir())] if folder else []
        return [self.pairs[stem][0] for stem in rest] + more


# ------------------------------------------------------------------ batches


def labelled_batch(pairs, order, rng, count, strong):
    samples = [pipeline.pad_sample(*pipeline.augment(*pairs[next(order)], rng, strong)) for _ in range(count)]
    return [np.stack(part) for part in zip(*samples)]


def strongly_changed(image, rng):
    """Other brightness, contrast, sharpness, and holes: what must not change the answer."""
    image = pipeline.photometric(pipeline.photometric(image, rng), rng)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.5))
    return pipeline.cut_out(image, rng, holes=8, side=12)


def unlabelled_batch(images, rng, count):
    """The same crops twice, as they are and strongly changed."""
    plain, changed = [], []
    for _ in range(count):
        image = images[rng.integers(len(images))]
        y, x = (rng.integers(max(side - SIDE, 0) + 1) for side in image.shape[:2])
        crop = np.rot90(image[y:y + SIDE, x:x + SIDE], rng.integers(4))
        crop = np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop)
        nothing = np.zeros(crop.shape[:2], np.uint8)
        plain.append(pipeline.pad_sample(crop, nothing)[0])
        changed.append(pipeline.pad_sample(strongly_changed(crop, rng), nothing)[0])
    return [np.stack(plain), np.stack(changed)]


def batches(pairs, unlabelled, iterations, count, strong, seed):
    """Arrays for as many iterations, made in a thread of their own."""
    made = queue.Queue(maxsize=8)

    def make():
        rng, other = np.random.default_rng(seed), np.random.default_rng(seed + 1000)
        order = sample_order(len(pairs), rng)
        for _ in range(iterations):
            batch = labelled_batch(pairs, order, rng, count, strong)
            made.put(batch + (unlabelled_batch(unlabelled, other, count) if unlabelled else []))

    threading.Thread(target=make, daemon=True).start()
    return (made.get() for _ in range(iterations))


# ------------------------------------------------------------------ training


def one_cycle(t, iterations, lr, warmup=0.3):
    peak = warmup * iterations - 1
    cosine = lambda a, b, x: b + (a - b) * (1 + math.cos(math.pi * x)) / 2
    if t <= peak:
        return cosine(lr / 25, lr, t / peak)
    return cosine(lr, lr / 250_000, (t - peak) / (iterations - 1 - peak))


def begin(arch, classes, start, device, seed, output_stride):
    torch.manual_seed(seed)
    model = initialise(Segmentor(arch, num_classes=classes, output_stride=output_stride))
    if start:
        state = {k: v.float() for k, v in start.items() if "conv_seg" not in k}
        missing, foreign = model.load_state_dict(state, strict=False)
        assert not foreign, foreign
        # Of an encoder without its stem and heads, those stay random.
        unknown = ("conv_seg", "num_batches") if "backbone.stem.0.weight" in state else ("head", "stem", "num_batches")
        assert all(any(part in key for part in unknown) for key in missing), missing
    return model.to(device, memory_format=torch.channels_last).train()


class Variant:
    """One network in training; `step` is one iteration, on a GPU a graph from the fourth on."""

    def __init__(self, model, recipe, iterations, lr, device, teaches):
        self.model, self.recipe, self.iterations, self.lr, self.device = model, recipe, iterations, lr, device
        rate = torch.zeros((), device=device) if device == "cuda" else lr
        if recipe == "paper":
            self.optimiser = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4, fused=device == "cuda")
        else:
            self.optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, fused=device == "cuda",
                                               capturable=device == "cuda")
        self.weight = torch.zeros((), device=device)
        self.teacher = copy.deepcopy(model).eval().requires_grad_(False) if teaches else None
        self.graph = None

    def rate(self, t):
        if self.recipe == "paper":
            return losses.poly(t, self.iterations, self.lr)
        return one_cycle(t, self.iterations, self.lr)

    def body(self, image, label, plain=None, changed=None):
        kind = losses.focal if self.recipe == "paper" else losses.cross_entropy_dice
        if self.teacher is None:
            losses.total_loss(*self.model.forward_train(image), label, kind).backward()
            self.optimiser.step()
            return
        confidence, answer = torch.softmax(self.teacher(plain), 1).max(1)
        both = self.model.forward_train(torch.cat([image, changed]).to(memory_format=torch.channels_last))
        count = len(image)
        loss = losses.total_loss(*(logits[:count] for logits in both), label, kind)
        wrong = F.cross_entropy(both[0][count:], answer, reduction="none")
        (loss + self.weight * (wrong * (confidence > CONFIDENT)).mean()).backward()
        self.optimiser.step()
        with torch.no_grad():
            for old, new in zip(self.teacher.state_dict().values(), self.model.state_dict().values()):
                if old.is_floating_point():
                    old.lerp_(new, 1 - TEACHER_MEMORY)

    def step(self, t, inputs, pool, graphs):
        """`inputs` are the same tensors at every call, with other content; returns the memory that later graphs may use."""
        for group in self.optimiser.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(self.rate(t))
            else:
                group["lr"] = self.rate(t)
        self.weight.fill_(math.exp(-5 * (1 - min(t / (0.4 * self.iterations), 1)) ** 2))
        inputs = inputs if self.teacher is not None else inputs[:2]
        if graphs and t >= 3:
            if self.graph is None:
                self.optimiser.zero_grad(set_to_none=True)
                self.graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self.graph, pool=pool):
                    self.body(*inputs)
            self.graph.replay()
            return self.graph.pool()
        self.optimiser.zero_grad(set_to_none=True)
        self.body(*inputs)
        return pool


def train(variants, pairs, unlabelled, iterations, count, strong, seed, device, graphs):
    """All variants, iteration by iteration, on the same batches; seconds of the whole."""
    before, inputs, pool = time.perf_counter(), None, None
    for t, batch in enumerate(batches(pairs, unlabelled, iterations, count, strong, seed)):
        arrays = [torch.from_numpy(part) for part in batch]
        if inputs is None:
            inputs = [a.to(device) if a.ndim == 3 else a.to(device).to(memory_format=torch.channels_last) for a in arrays]
        for place, array in zip(inputs, arrays):
            place.copy_(array)
        for variant in variants:
            pool = variant.step(t, inputs, pool, graphs)
    return time.perf_counter() - before


# ------------------------------------------------------------------ scores


@torch.no_grad()
def probabilities(model, image, device, window=256, stride=128):
    """Of each class [C,H,W], the mean of overlapping windows; `window` 0 takes the image as a whole."""
    height, width = image.shape[:2]
    planes = torch.from_numpy(pipeline.normalise(image)).to(device)
    tall, wide = ([-(-side // 32) * 32 for side in (height, width)] if window == 0
                  else [max(window, height), max(window, width)])
    planes = F.pad(planes, (0, wide - width, 0, tall - height))
    boxes = [[0, tall, 0, wide]] if window == 0 else pipeline.windows(tall, wide, window, stride)
    total, over, group = None, torch.zeros(tall, wide, device=device), 32 if window == 256 else 4
    for some in (boxes[i:i + group] for i in range(0, len(boxes), group)):
        logits = model(torch.stack([planes[:, y1:y2, x1:x2] for y1, y2, x1, x2 in some]))
        total = torch.zeros(logits.shape[1], tall, wide, device=device) if total is None else total
        for (y1, y2, x1, x2), part in zip(some, torch.softmax(logits, 1)):
            total[:, y1:y2, x1:x2] += part
            over[y1:y2, x1:x2] += 1
    return (total / over)[:, :height, :width]


def score(models, pairs, classes, device, window=256, stride=128):
    """IoU of each class over all pixels, in percent, of the mean of the networks' answers."""
    [model.eval() for model in models]
    found = []
    for image, label in pairs:
        mean = sum(probabilities(model, image, device, window, stride) for model in models)
        found.append((mean.argmax(0).to(torch.uint8).cpu().numpy(), label))
    ratios = pipeline.scores(pipeline.class_counts(found, classes))
    return [round(100 * iou, 2) for iou in ratios["IoU"].tolist()]
