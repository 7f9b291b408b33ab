"""The jobs of results/few-labels/, most wanted first, as JSON lines for `k_shot.py --plan`; and the sets that they need.

    python make_real_sets.py DATA SETS
    python k_shot_plan.py SETS DATA/uhcs-spheroidite/folds.json > plan.jsonl

Makes in SETS, of `spheroidite`, a set for each published fold (`spheroidite-fold0` ..: tested on it, trained on the others)
and, of every set, one whose images have each another contrast (`NAME-low`, by make_low_contrast.py).
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from make_real_sets import DUPLICATE

NAMES = ["spheroidite", "super", "microconstituents", "metaldam"]
NETWORKS = ["deeplabv3plus", "pspnet"]
WINDOWS = [[256, 192], [512, 256], [512, 384], [0, 0]]
RANDOM, BUILTIN, FASTER = ["random", 1e-3, False], ["builtin", 1e-3, False], ["builtin", 2e-3, False]
TAUGHT = ["builtin", 2e-3, True]


def fold_sets(sets, folds):
    base = sets / "spheroidite"
    classes = tomllib.loads((base / "dataset.toml").read_text())["classes"]
    for place, fold in enumerate(folds):
        out = sets / f"spheroidite-fold{place}"
        out.mkdir(exist_ok=True)
        for part in ("images", "labels"):
            if not (out / part).exists():
                (out / part).symlink_to((base / part).resolve())
        train = [s for other in folds for s in other if other is not fold and s != DUPLICATE]
        test = [s for s in fold if s != DUPLICATE]
        lines = "".join(f"[[classes]]\nname = \"{c['name']}\"\n" for c in classes)
        (out / "dataset.toml").write_text(f"{lines}[splits]\ntrain = {json.dumps(train)}\ntest = {json.dumps(test)}\n")


def low_sets(sets):
    for name in NAMES:
        if not (sets / f"{name}-low").exists():
            script = Path(__file__).with_name("make_low_contrast.py")
            subprocess.run([sys.executable, script, sets / name, sets / f"{name}-low"], check=True)


def plan(folds):
    yield {"set": "spheroidite", "k": "all", "iterations": 8000, "recipe": "paper", "variants": [["random", 0.01, False]]}
    for name in NAMES:
        variants = [[*variant, arch] for arch in NETWORKS for variant in (BUILTIN, FASTER)]
        yield {"set": name, "k": "all", "iterations": 1600, "variants": variants, "windows": WINDOWS,
               "ensembles": [[0, 2], [1, 3]]}
    for draw in range(5):
        for k in ("1", "4"):
            for name in NAMES:
                variants = [RANDOM, BUILTIN, FASTER] + ([["builtin", 4e-3, False], TAUGHT] if draw < 3 else [])
                yield {"set": name, "k": k, "draw": draw, "variants": variants}
    for fold in range(folds):
        yield {"set": f"spheroidite-fold{fold}", "k": "all", "iterations": 600, "variants": [BUILTIN, FASTER]}
    for arch in NETWORKS:
        for name in NAMES:
            for grey in ("full", "percentile", "z_score", "local"):
                for first, second in ((name, f"{name}-low"), (f"{name}-low", name)):
                    yield {"set": first, "arch": arch, "k": "all", "grey": grey, "variants": [FASTER], "tests": [second]}
    for draw in range(3):
        for k in ("1", "4"):
            for name in NAMES:
                yield {"set": name, "arch": "pspnet", "k": k, "draw": draw, "variants": [RANDOM, BUILTIN, FASTER]}
    for draw in range(2):
        for name in NAMES:
            variants = [RANDOM, BUILTIN, FASTER] + ([TAUGHT] if draw == 0 else [])
            yield {"set": name, "k": "all", "draw": draw, "iterations": 600, "variants": variants}
    for draw in range(3):
        for k in ("2", "10"):
            for name in NAMES:
                yield {"set": name, "k": k, "draw": draw, "variants": [RANDOM, BUILTIN, FASTER]}
    for draw in range(3):
        for k in ("1", "4"):
            for name in NAMES:
                yield {"set": name, "k": k, "draw": draw, "iterations": 600, "variants": [RANDOM, BUILTIN, FASTER, TAUGHT]}


def main():
    sets, file = map(Path, sys.argv[1:3])
    folds = json.loads(file.read_text())
    folds = folds if isinstance(folds, list) else [folds[key] for key in sorted(folds)]
    fold_sets(sets, folds)
    low_sets(sets)
    for job in plan(len(folds)):
        print(json.dumps(job))


if __name__ == "__main__":
    main()
