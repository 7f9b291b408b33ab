"""Asks other engines whether exported models answer as Sorby does: `python check_exports.py FOLDER SORBY [CHECK...]`.

FOLDER was filled by the test `write_models_for_python` of `sorby-export`; SORBY is the program. Checked are ONNX files
(onnx.checker, ONNX Runtime, OpenVINO), the sliding window of `onnx_window.py` against `sorby segment`, the weights in
PyTorch, packages of bioimage.io by bioimageio.core, and MMSegmentation where it is installed. CHECK is onnx, mask,
package or mmseg; default: all. Prints what was measured; stops at the first difference that is too large.
"""

import os
import pathlib
import subprocess
import sys
import types

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino
from PIL import Image

from onnx_window import mean_logits

LOGITS_DIFFER = 1e-4
PROBABILITIES_DIFFER = 1e-5
CLASSES = 3


def sorby(program, *arguments):
    subprocess.run([program, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def answers(folder):
    """(shape, grey values, our logits) of every size."""
    for path in sorted(folder.glob("image_*.f32")):
        n, h, w = map(int, path.stem.split("_")[1].split("x"))
        logits = np.fromfile(folder / path.name.replace("image", "logits"), "<f4")
        yield (n, h, w), np.fromfile(path, "<f4").reshape(n, 1, h, w), logits.reshape(n, CLASSES, h, w)


def softmax(logits):
    shares = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def check_file(path):
    """The official checker; returns whether height and width are free."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 7 and [o.version for o in model.opset_import] == [13]
    assert [o.name for o in model.graph.output] == ["logits", "probabilities"]
    sides = model.graph.input[0].type.tensor_type.shape.dim
    assert sides[0].dim_param == "N" and sides[1].dim_value == 1
    return bool(sides[2].dim_param)


def engines(path):
    """Name and function from grey values to (logits, probabilities)."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    yield "ONNX Runtime", lambda image: session.run(["logits", "probabilities"], {"image": image})
    # Without the hint OpenVINO may compute in 16 bits.
    compiled = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    yield "OpenVINO", lambda image: [compiled([image])[i].copy() for i in range(2)]


def check_onnx(folder, program):
    for kind, flags in [("fixed", []), ("dynamic", ["--dynamic"]), ("half", ["--half"])]:
        path = folder / f"{kind}.onnx"
        sorby(program, "model", "export", folder / "model.safetensors", "--format", "onnx", "--out", path, *flags)
        free = check_file(path)
        for name, run in engines(path):
            worst = [0.0, 0.0]
            for (_, h, w), image, expected in answers(folder):
                if free or (h, w) == (256, 256):
                    logits, probabilities = run(image)
                    worst[0] = max(worst[0], np.abs(logits - expected).max())
                    worst[1] = max(worst[1], np.abs(probabilities - softmax(expected)).max())
            print(f"{folder.name} {kind}, {name}: logits {worst[0]:.1e}, probabilities {worst[1]:.1e}")
            if kind != "half":
                assert worst[0] < LOGITS_DIFFER and worst[1] < PROBABILITIES_DIFFER
            else:
                assert worst[1] < 5e-3


def mask_of_sorby(folder, program):
    out = folder / "segmented"
    sorby(program, "segment", folder / "model.safetensors", folder / "picture.png", "--out", out)
    return np.array(Image.open(out / "masks" / "picture.png"))


def check_mask(folder, program):
    """The sliding window in Python against the program's mask: pixels may differ only where two classes are equal."""
    ours = mask_of_sorby(folder, program)
    path = folder / "window.onnx"
    sorby(program, "model", "export", folder / "model.safetensors", "--format", "onnx", "--out", path)
    stored = cv2.imread(str(folder / "picture.png"), cv2.IMREAD_UNCHANGED)
    logits = mean_logits(str(path), stored)
    shares = np.bincount(ours.ravel(), minlength=CLASSES) / ours.size
    ordered = np.sort(logits, axis=0)
    differ = ours != np.argmax(logits, axis=0)
    margin = (ordered[-1] - ordered[-2])[differ].max(initial=0)
    print(f"{folder.name}: {differ.sum()} of {ours.size} mask pixels differ, where the two largest logits are up to "
          f"{margin:.1e} apart; shares of the classes {np.round(shares, 3)}")
    assert (shares > 0.05).sum() >= 2 and margin < LOGITS_DIFFER


def check_package(folder, program):
    path = folder / "package.zip"
    words = ["--author", "A. Author", "--licence", "CC-BY-4.0", "--name", f"Sorby {folder.name}"]
    model = folder / "model.safetensors"
    sorby(program, "model", "export", model, "--format", "bioimageio", "--out", path, *words)
    cli = [sys.executable, "-m", "bioimageio.core"]
    environment = {**os.environ, "BIOIMAGEIO_CACHE_PATH": str(folder / "cache")}
    tests = [["test", "--weight-format", weights] for weights in ("onnx", "pytorch_state_dict")]
    for command in [["validate-format"], *tests]:
        done = subprocess.run([*cli, command[0], path, *command[1:]], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        print(f"{folder.name}: bioimageio {' '.join(command)}: passed")


def check_mmseg(folder, program):
    """Masks of MMSegmentation itself, which reads 8-bit images only."""
    if Image.open(folder / "picture.png").mode != "L":
        return
    path, mask = folder / "mmseg.pth", mask_of_sorby(folder, program)
    sorby(program, "model", "export", folder / "model.safetensors", "--format", "mmseg", "--out", path)
    import torch

    saved = torch.load(path, weights_only=True)
    assert saved["meta"]["dataset_meta"]["classes"] == ["matrix", "carbide", "M23C6 (Härte 2)"]
    print(f"{folder.name}: torch.load(weights_only=True): {len(saved['state_dict'])} tensors")
    # Compiled operations, which these networks do not use, are missing from `mmcv-lite`.
    operations = types.ModuleType("mmcv._ext")
    operations.__getattr__ = lambda name: None
    sys.modules["mmcv._ext"] = operations
    try:
        from mmseg.apis import inference_model, init_model
    except ImportError:
        print("MMSegmentation is not installed: not asked")
        return
    model = init_model(str(path.with_suffix(".py")), str(path), device="cpu")
    theirs = inference_model(model, str(folder / "picture.png")).pred_sem_seg.data[0].numpy()
    differ = int((mask != theirs).sum())
    # MMSegmentation rounds resized images to whole grey values.
    resized = "Resize" in path.with_suffix(".py").read_text()
    print(f"{folder.name}: MMSegmentation: {differ} of {mask.size} mask pixels differ{' (resized)' * resized}")
    assert differ <= mask.size * (0.01 if resized else 1e-4)


CHECKS = {"onnx": check_onnx, "mask": check_mask, "package": check_package, "mmseg": check_mmseg}


def main():
    root, program, *chosen = sys.argv[1:]
    for folder in sorted(p for p in pathlib.Path(root).iterdir() if p.is_dir()):
        for name in chosen or CHECKS:
            CHECKS[name](folder, program)


if __name__ == "__main__":
    main()
