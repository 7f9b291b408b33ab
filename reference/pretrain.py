"""Trains the network that ships with the program, on synthetic pictures only.

    sorby synth --kind FAMILY --camera wide --images N --size 512x512 --seed S --out PICTURES/FAMILY-S   (each family)
    python pretrain.py PICTURES --out WEIGHTS

One encoder and the heads of both architectures learn together: for every pixel its class among those of all
families, and the distance to the next border. Written are, for each architecture, the encoder and the head in
safetensors with MMSegmentation's keys, without classifiers: convolutions in f16, the rest in f32.
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from losses import IGNORE
from model import AuxiliaryHead, Backbone, Segmentor, initialise, resize
from pretrain_data import Crops, describe, load_pictures


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=300, help="length of the training")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


class Pretrainer(nn.Module):
    """Backbone, a decode head for each architecture, an auxiliary head; the last channel of a decode head is distance."""

    def __init__(self, classes, output_stride=16):
        super().__init__()
        self.backbone = Backbone("v1c", output_stride)
        self.heads = nn.ModuleDict({arch: head(classes + 1, 0.1, output_stride)
                                    for arch, head in Segmentor.HEADS.items()})
        self.auxiliary_head = AuxiliaryHead(classes, 0.1)

    def forward(self, x):
        features = self.backbone(x)
        found = [head(features) for head in self.heads.values()]
        return *found, self.auxiliary_head(features)


def loss_of(found, label, distance):
    """Cross-entropy of every head, and the error of distance of the decode heads, at a quarter of the image's size or finer."""
    *decoded, auxiliary = found
    side = label.shape[-1] // 2
    coarse = F.interpolate(label.unsqueeze(1).float(), size=(side, side), mode="nearest")[:, 0].long()
    far = F.interpolate(distance.unsqueeze(1), size=(side, side), mode="nearest")[:, 0]
    known = (coarse != IGNORE).float()
    total = 0.4 * F.cross_entropy(resize(auxiliary.float(), (side, side)), coarse, ignore_index=IGNORE)
    for logits in decoded:
        logits = resize(logits.float(), (side, side))
        total = total + F.cross_entropy(logits[:, :-1], coarse, ignore_index=IGNORE)
        total = total + (F.l1_loss(logits[:, -1], far, reduction="none") * known).mean()
    return total


def one_cycle(progress, peak, warmup=0.1):
    """Learning rate where `progress` of the training, 0 to 1, is over."""
    if progress < warmup:
        return peak * (0.04 + 0.96 * progress / warmup)
    return peak * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2


@torch.no_grad()
def pixel_accuracy(model, crops):
    """Share of pixels that each decode head gives their class."""
    model.eval()
    image, label, _ = crops.next()
    with torch.autocast(image.device.type, torch.bfloat16):
        *decoded, _ = model(image.to(memory_format=torch.channels_last))
    model.train()
    known = label != IGNORE
    guesses = [resize(logits[:, :-1].float(), label.shape[1:]).argmax(1) for logits in decoded]
    return [round(((guess == label) & known).sum().item() / known.sum().item(), 4) for guess in guesses]


def train(model, crops, check, args):
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.02},
              {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=args.lr, fused=args.device == "cuda")
    forward = torch.compile(model) if args.compile else model
    start, done, printed = None, 0, 0
    while True:
        image, label, distance = crops.next()
        with torch.autocast(args.device, torch.bfloat16):
            found = forward(image.to(memory_format=torch.channels_last))
        loss = loss_of(found, label, distance)
        passed = 0 if start is None else time.perf_counter() - start
        for group in optimiser.param_groups:
            group["lr"] = one_cycle(min(passed / args.seconds, 1), args.lr)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        done += 1
        if start is None:  # what is compiled in the first step does not count
            loss.item()
            start = time.perf_counter()
        if passed >= printed + args.seconds / 20 or passed >= args.seconds:
            printed = passed
            line = {"step": done, "crops": done * args.batch, "s": round(passed, 1), "loss": round(loss.item(), 4),
                    "pixel_accuracy": pixel_accuracy(model, check)}
            print(json.dumps(line), flush=True)
        if passed >= args.seconds:
            return line


def start_network(model, arch):
    """State dict of encoder and heads of one architecture, without classifiers."""
    parts = {"backbone": model.backbone, "decode_head": model.heads[arch], "auxiliary_head": model.auxiliary_head}
    state = {}
    for part, module in parts.items():
        for key, tensor in module.state_dict().items():
            if "conv_seg" not in key and not key.endswith("num_batches_tracked"):
                dtype = torch.float16 if tensor.ndim == 4 else torch.float32
                state[f"{part}.{key}"] = tensor.detach().cpu().to(dtype).contiguous()
    return state


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    begun = time.perf_counter()
    pictures, classes = load_pictures(args.pictures, args.device, args.workers)
    print(json.dumps({"pictures": len(pictures), "classes": classes, "s": round(time.perf_counter() - begun, 1)}), flush=True)
    held = max(len(pictures) // 100, 1)
    model = initialise(Pretrainer(classes)).to(args.device, memory_format=torch.channels_last).train()
    order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(args.seed)).to(args.device)
    pictures = pictures[order]
    check = Crops(pictures[:held], min(args.batch, 128), args.size, args.seed + 1)
    last = train(model, Crops(pictures[held:], args.batch, args.size, args.seed), check, args)
    args.out.mkdir(parents=True, exist_ok=True)
    for arch in Segmentor.HEADS:
        save_file(start_network(model, arch), args.out / f"{arch}.safetensors")
    record = {"last": last, "pictures": describe(args.pictures), "seed": args.seed, "batch": args.batch, "lr": args.lr,
              "seconds": args.seconds, "torch": torch.__version__,
              "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu"}
    (args.out / "pretraining.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
