"""Synthetic pictures in the memory of a device, and crops of them with labels of two kinds.

`sorby synth` writes one data set for each family of microstructures. Here the classes of all families get
indices one after another, and a third map holds the distance of each pixel to the next border between classes.
"""

import json
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from losses import IGNORE
from pipeline import MEAN, STD

FAR = 16  # pixels; borders further away count as this far


def class_offsets(folders):
    """First index of each family's classes, by family, and the number of all classes."""
    offsets, count = {}, 0
    for folder in sorted(folders):
        family = folder.name.split("-")[0]
        if family not in offsets:
            offsets[family] = count
            count += len(tomllib.loads((folder / "dataset.toml").read_text())["classes"])
    return offsets, count


def border_distance(label):
    """Pixels to the next border between two labelled classes, at most 255; borders are 0."""
    same = np.ones(label.shape, np.uint8)
    for axis in (0, 1):
        moved = np.roll(label, 1, axis)
        border = (moved != label) & (moved != IGNORE) & (label != IGNORE)
        border[(0, slice(None)) if axis == 0 else (slice(None), 0)] = False
        same[border] = 0
    return np.minimum(cv2.distanceTransform(same, cv2.DIST_L2, 3), 255).astype(np.uint8)


def read_picture(path, offset):
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    label = np.asarray(Image.open(path.parent.parent / "labels" / path.name))  # OpenCV would paint its palette
    distance = border_distance(label)
    return image, np.where(label == IGNORE, IGNORE, label + offset).astype(np.uint8), distance


def load_pictures(root, device, workers):
    """uint8 [N,3,H,W] of image, label and border distance on `device`; the number of classes."""
    folders = [path.parent for path in root.glob("*/dataset.toml")]
    offsets, classes = class_offsets(folders)
    jobs = [(path, offsets[folder.name.split("-")[0]]) for folder in sorted(folders)
            for path in sorted((folder / "images").iterdir())]
    with ThreadPoolExecutor(workers) as pool:
        first = np.stack(read_picture(*jobs[0]))
        pictures = np.empty((len(jobs), *first.shape), np.uint8)

        def place(i):
            pictures[i] = read_picture(*jobs[i])

        list(pool.map(place, range(len(jobs))))
    return torch.from_numpy(pictures).to(device), classes


def uniform(generator, shape, low, high):
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


class Crops:
    """Endless batches: normalised images [B,3,S,S], labels [B,S,S], border distances [B,S,S] of 0..1."""

    def __init__(self, pictures, batch, size, seed):
        self.pictures, self.batch, self.size = pictures, batch, size
        self.generator = torch.Generator(device=pictures.device).manual_seed(seed)

    def chance(self, share):
        return (uniform(self.generator, (self.batch, 1, 1), 0, 1) < share).float()

    def draw(self, low, high):
        return uniform(self.generator, (self.batch, 1, 1), low, high)

    def next(self):
        device, g = self.pictures.device, self.generator
        which = torch.randint(len(self.pictures), (self.batch,), generator=g, device=device)
        image, label, distance, scale = self.cut(self.pictures[which].float())
        image = self.photograph(image)
        mean, std = (torch.from_numpy(a).to(device).view(1, 3, 1, 1) for a in (MEAN, STD))
        return (image.unsqueeze(1) - mean) / std, label, (distance * scale / FAR).clamp(0, 1)

    def cut(self, picture):
        """A turned, mirrored, scaled piece of each picture; what lies outside is ignored."""
        side = picture.shape[-1]
        scale = torch.exp2(self.draw(-0.8, 0.8).flatten())
        turned = self.chance(0.3).flatten()
        quarter = torch.floor(self.draw(0, 4).flatten()) * (np.pi / 2)
        angle = turned * self.draw(0, 2 * np.pi).flatten() + (1 - turned) * quarter
        mirror = 1 - 2 * self.chance(0.5).flatten()
        extent = self.size / (side * scale)  # of the crop, in halves of the picture's side
        shift = [self.draw(-1, 1).flatten() * (1 - extent).clamp(min=0) for _ in range(2)]
        cos, sin = torch.cos(angle) * extent, torch.sin(angle) * extent
        matrix = torch.stack([torch.stack([cos * mirror, -sin, shift[0]], 1),
                              torch.stack([sin * mirror, cos, shift[1]], 1)], 1)
        grid = F.affine_grid(matrix, (self.batch, 1, self.size, self.size), align_corners=False)
        image = F.grid_sample(picture[:, :1], grid, padding_mode="reflection", align_corners=False)
        # 256 - label, so that 0, which stands outside, means ignored.
        maps = torch.cat([256 - picture[:, 1:2], picture[:, 2:3]], 1)
        maps = F.grid_sample(maps, grid, mode="nearest", padding_mode="zeros", align_corners=False)
        label = 256 - maps[:, 0]
        label = torch.where(label >= IGNORE, torch.full_like(label, IGNORE), label)
        return image[:, 0], label.long(), maps[:, 1], scale.view(-1, 1, 1)

    def photograph(self, x):
        """Other contrast, brightness, gamma, sharpness and noise; grey levels stay within 0..255."""
        sample = x.flatten(1)[:, ::17].sort(1).values
        low, high = (sample[:, int(q * (sample.shape[1] - 1))].view(-1, 1, 1) for q in (0.005, 0.995))
        stretched = (x - low) * 255 / (high - low).clamp(min=4)
        x = torch.lerp(x, stretched.clamp(0, 255), self.chance(0.4))
        x = torch.lerp(x, self.blurred(x), self.chance(0.2) * self.draw(0.3, 1))
        gamma = torch.exp2(self.chance(0.3) * self.draw(-0.8, 0.8))
        x = 255 * (x.clamp(0, 255) / 255) ** gamma
        x = (x + self.chance(0.5) * self.draw(-40, 40)).clamp(0, 255)
        x = (x * (1 + self.chance(0.5) * self.draw(-0.6, 0.5))).clamp(0, 255)
        noise = torch.randn(x.shape, generator=self.generator, device=x.device)
        return (x + noise * self.chance(0.3) * self.draw(0, 15)).clamp(0, 255)

    def blurred(self, x):
        row = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], device=x.device) / 16
        kernel = (row[:, None] * row[None, :]).view(1, 1, 5, 5)
        return F.conv2d(F.pad(x.unsqueeze(1), (2, 2, 2, 2), mode="reflect"), kernel)[:, 0]


def describe(root):
    """What the generator wrote, for the record: folders and their number of pictures."""
    return {path.parent.name: len(list((path.parent / "images").iterdir()))
            for path in sorted(root.glob("*/dataset.toml"))}


if __name__ == "__main__":
    import sys
    print(json.dumps(describe(Path(sys.argv[1])), indent=1))
