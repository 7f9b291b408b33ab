"""Scores after short trainings from few labelled images, in several variants, on a GPU: one JSON line for each.

    python make_real_sets.py DATA SETS
    python k_shot.py SETS --start builtin=START.safetensors --draws 5 --k 1 4 --iterations 240 --out k-shot.jsonl

Each training is the program's `coffee` with another number of iterations, in PyTorch: AdamW in one cycle, cross-entropy
plus Dice, batches of four strongly augmented crops, output stride 16; or `paper`: focal loss, SGD, batches of eight crops
without more, output stride 8. `random` is always among the starts. A start of several files is NAME=FILE,FILE. The same draw of images and
crops serves every variant of a job, so that differences are paired. Scores: mIoU of the `test` split, single scale,
windows of 256 every 128 pixels, and of other windows and sets where asked. `--plan` takes jobs as JSON lines with the keys of
`JOB`; the other arguments make such jobs.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.multiprocessing as mp
from safetensors.torch import load_file

from model import Segmentor
from short_training import GREY, Steel, Variant, begin, score, train

JOB = {"set": "super", "arch": "deeplabv3plus", "k": "1", "draw": 0, "iterations": 240, "recipe": "coffee", "grey": "auto",
       # Start, learning rate, with unlabelled images, and the network if it is not that of the job.
       "variants": [["random", 1e-3, False]],
       # Other windows [side, stride] and other sets to score; variants whose answers are averaged.
       "windows": [], "tests": [], "ensembles": []}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, help="folder that make_real_sets.py made")
    parser.add_argument("--names", nargs="*", default=["spheroidite", "super", "microconstituents", "metaldam"])
    parser.add_argument("--start", action="append", default=[], help="NAME=FILE")
    parser.add_argument("--arch", choices=tuple(Segmentor.HEADS), default="deeplabv3plus")
    parser.add_argument("--k", nargs="*", default=["1", "4"], help="numbers of labelled images; all: the train split")
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--iterations", nargs="*", type=int, default=[240])
    parser.add_argument("--lr", nargs="*", type=float, default=[1e-3])
    parser.add_argument("--grey", default="auto", choices=("auto", *GREY))
    parser.add_argument("--unlabelled", action="append", default=[], help="SET=FOLDER of images without labels")
    parser.add_argument("--plan", type=Path, help="jobs as JSON lines, in place of those that the arguments make")
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=1e9, help="no training begins later than this")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--eager", action="store_true", help="no CUDA graphs")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def jobs_of(args):
    if args.plan:
        return [JOB | json.loads(line) for line in args.plan.read_text().splitlines()]
    starts = ["random"] + [s.split("=", 1)[0] for s in args.start]
    variants = [[start, lr, False] for start in starts for lr in args.lr]
    return [JOB | {"set": name, "arch": args.arch, "k": k, "draw": draw, "iterations": iterations, "grey": args.grey,
                   "variants": variants}
            for iterations in args.iterations for draw in range(args.draws) for k in args.k for name in args.names]


def loaded(files):
    state = {}
    for file in files.split(","):
        for key, tensor in load_file(file).items():
            if key.startswith("layer"):  # torchvision's ResNet-18; its stem is another one
                state[f"backbone.{key}"] = tensor
            elif key.split(".")[0] in ("backbone", "decode_head", "auxiliary_head"):
                state[key] = tensor
    return state


class Worker:
    """One process: its starts and sets stay in memory."""

    def __init__(self, args):
        self.args, self.steels = args, {}
        self.unlabelled = {name: Path(folder) for name, folder in (u.split("=", 1) for u in args.unlabelled)}
        self.files = dict(s.split("=", 1) for s in args.start)
        self.starts = {"random": None}

    def steel(self, name, grey):
        if (name, grey) not in self.steels:
            self.steels[name, grey] = Steel(self.args.sets / name, grey)
        return self.steels[name, grey]

    def start(self, name, arch):
        """The weights of a start; `{arch}` in its files is the architecture."""
        if (name, arch) not in self.starts:
            self.starts[name, arch] = loaded(self.files[name].replace("{arch}", arch)) if name != "random" else None
        return self.starts[name, arch]

    def run(self, job):
        """A line for each variant of a job."""
        device, steel = self.args.device, self.steel(job["set"], job["grey"])
        split = "train" if job["k"] == "all" else f"k{job['k']}-s{job['draw']}"
        taught = any(variant[2] for variant in job["variants"])
        unlabelled = steel.without_labels(split, self.unlabelled.get(job["set"])) if taught else None
        paper = job["recipe"] == "paper"
        stride, count, strong = (8, 8, False) if paper else (16, 4, True)
        variants = []
        for start, lr, teaches, *arch in job["variants"]:
            arch = arch[0] if arch else job["arch"]
            model = begin(arch, steel.classes, self.start(start, arch), device, job["draw"], stride)
            variants.append(Variant(model, job["recipe"], job["iterations"], lr, device, teaches))
        graphs = device == "cuda" and not self.args.eager
        pairs = steel.split(split)
        seconds = train(variants, pairs, unlabelled, job["iterations"], count, strong, job["draw"], device, graphs)
        named = [([v.model], start, lr, teaches, arch[0] if arch else job["arch"])
                 for v, (start, lr, teaches, *arch) in zip(variants, job["variants"])]
        named += [([variants[i].model for i in places], "ensemble", None, None, places) for places in job["ensembles"]]
        for models, start, lr, teaches, arch in named:
            mean = lambda *given: round(float(np.mean(self.scored(models, *given))), 2)
            iou = self.scored(models, steel)
            line = {key: job[key] for key in ("set", "k", "draw", "iterations", "recipe", "grey")}
            line |= {"arch": arch, "start": start, "lr": lr, "unlabelled": teaches, "miou": round(float(np.mean(iou)), 2),
                     "iou": iou, "s": round(seconds / len(variants), 1)}
            if job["windows"]:
                line["windows"] = {f"{w}/{s}": mean(steel, w, s) for w, s in job["windows"]}
            if job["tests"]:
                line["tests"] = {name: mean(self.steel(name, job["grey"])) for name in job["tests"]}
            yield line

    def scored(self, models, steel, *window):
        return score(models, steel.split("test"), steel.classes, self.args.device, *window)


def work(place, jobs, args, begun, lock):
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    worker = Worker(args)
    while time.time() - begun < args.seconds:
        with lock:
            if place.value >= len(jobs):
                return
            job = jobs[place.value]
            place.value += 1
        for line in worker.run(job):
            with lock, args.out.open("a") as file:
                file.write(json.dumps(line) + "\n")


def summary(lines):
    """Difference of every variant from `random` with the first learning rate, paired by draw, as mean and standard error."""
    table = {}
    for r in lines:
        job = (r["set"], str(r["arch"]), r["k"], r["iterations"], r["recipe"], r["grey"])
        table.setdefault(job, {}).setdefault((r["start"], r["lr"], r["unlabelled"]), {})[r["draw"]] = r["miou"]
    for job, variants in sorted(table.items()):
        base = next((scores for name, scores in variants.items() if name[0] == "random"), {})
        for name, scores in variants.items():
            shared = sorted(set(scores) & set(base))
            gain = np.array([scores[d] - base[d] for d in shared])
            error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else float("nan")
            print(*job, *name, f"{np.mean(list(scores.values())):6.2f} gain {gain.mean() if len(gain) else float('nan'):+6.2f} "
                  f"+- {error:.2f} ({len(shared)})")


def main():
    args = arguments()
    jobs = jobs_of(args)
    context = mp.get_context("spawn")
    place, lock, begun = context.Value("i", 0), context.Lock(), time.time()
    workers = [context.Process(target=work, args=(place, jobs, args, begun, lock)) for _ in range(args.workers)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    summary([json.loads(line) for line in args.out.read_text().splitlines()])


if __name__ == "__main__":
    main()
