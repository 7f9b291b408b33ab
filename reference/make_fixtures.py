"""Makes the fixtures that the Rust tests compare with.

`python make_fixtures.py` writes all of them into `fixtures/`;
`python make_fixtures.py layers lr` only those. Network quantities are computed
in float64 from float32 weights and inputs and then rounded to float32. Entries
called `f32_error` say how far PyTorch's own float32 run is from that, so a test
can choose a tolerance with reason.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.numpy import save_file
from scipy import ndimage
from skimage import measure
from torch.nn import functional as F

import losses
import pipeline
from formula import fnv1a, parameter, plain, unit
from model import Segmentor, fill_by_formula

FOLDER = Path(__file__).parent / "fixtures"


def write_json(name, value):
    text = json.dumps(value, indent=1, allow_nan=False)
    (FOLDER / f"{name}.json").write_text(compact(text) + "\n")


def compact(text):
    """Put lists that hold no other list or object on one line."""
    lines, inner = [], None
    for line in text.split("\n"):
        if line.endswith(("[", "{")):
            if inner:
                lines += inner
            inner = [line]
        elif inner is not None and line.strip() in ("]", "],", "}", "},"):
            head, *rest = inner
            lines.append(head + " ".join(part.strip() for part in rest) + line.strip())
            inner = None
        elif inner is not None:
            inner.append(line)
        else:
            lines.append(line)
    return "\n".join(lines)


def write_tensors(name, tensors):
    arrays = {}
    for key, value in tensors.items():
        value = value.detach().numpy() if isinstance(value, torch.Tensor) else value
        if value.dtype == np.float64:
            value = value.astype(np.float32)
        arrays[key] = np.ascontiguousarray(value)
    path = FOLDER / f"{name}.safetensors"
    save_file(arrays, path)
    path.chmod(0o644)


def relative_error(found, true):
    """Largest absolute difference over the largest absolute true value."""
    found, true = found.detach().double(), true.detach().double()
    scale = true.abs().max().item()
    return (found - true).abs().max().item() / (scale or 1.0)


# ---------------------------------------------------------------- formula


def formula():
    """Seeds and first numbers of the formula, and one parameter of every kind."""
    names = ["", "a", "input", "backbone.stem.0.weight"]
    kinds = {
        "backbone.stem.0.weight": (32, 3, 3, 3),
        "backbone.stem.1.weight": (32,),
        "backbone.stem.1.bias": (32,),
        "backbone.stem.1.running_mean": (32,),
        "backbone.stem.1.running_var": (32,),
        "decode_head.conv_seg.bias": (2,),
        "decode_head.aspp_modules.1.depthwise_conv.conv.weight": (512, 1, 3, 3),
    }
    write_json("formula", {
        "seeds": [{"name": n, "fnv1a": str(fnv1a(n)), "r": unit(n, (4,)).tolist()} for n in names],
        "parameters": [
            {"name": n, "shape": list(s), "first": [float(v) for v in parameter(n, s).ravel()[:4]]}
            for n, s in kinds.items()
        ],
    })


# ----------------------------------------------------------------- layers


def conv_case(name, x, w, stride=1, padding=0, dilation=1, groups=1):
    settings = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
    return dict(case=name, op="conv2d", shapes={"x": x, "w": w}, **settings)


def layer_cases():
    b, c, o = 2, 5, 7
    w3, w1 = [o, c, 3, 3], [o, c, 1, 1]
    odd, even = [b, c, 13, 9], [b, c, 12, 8]
    cases = [
        conv_case("conv3x3_d1", odd, w3, 1, 1, 1),
        conv_case("conv3x3_d2", odd, w3, 1, 2, 2),
        conv_case("conv3x3_d4", odd, w3, 1, 4, 4),
        conv_case("conv3x3_d1_even", even, w3, 1, 1, 1),
        conv_case("conv3x3_s2_odd", odd, w3, 2, 1, 1),
        conv_case("conv3x3_s2_even", even, w3, 2, 1, 1),
        conv_case("conv3x3_one_pixel", [2, 3, 1, 1], [4, 3, 3, 3], 1, 1, 1),
        conv_case("conv1x1", odd, w1),
        conv_case("conv1x1_s2_odd", odd, w1, 2),
        conv_case("conv1x1_s2_even", even, w1, 2),
        conv_case("conv7x7_s2", [1, 3, 21, 18], [6, 3, 7, 7], 2, 3),
        conv_case("conv3x3_wide", [1, 16, 17, 15], [16, 16, 3, 3], 1, 1, 1),
        conv_case("conv3x3_wide_d2", [1, 16, 17, 15], [16, 16, 3, 3], 1, 2, 2),
    ]
    for d in (1, 6, 12, 36):
        cases.append(conv_case(f"depthwise_d{d}", [2, 6, 10, 11], [6, 1, 3, 3], 1, d, d, 6))
    for name, size in (("odd", [13, 9]), ("even", [12, 8])):
        cases.append(dict(case=f"max_pool_{name}", op="max_pool", kernel=3, stride=2, padding=1,
                          shapes={"x": [2, 3, *size]}))
    for bins in (1, 2, 3, 6):
        for size in ([32, 32], [13, 9]):
            cases.append(dict(case=f"adaptive_avg_pool_{bins}_from_{size[0]}x{size[1]}",
                              op="adaptive_avg_pool", bins=bins, shapes={"x": [2, 2, *size]}))
    for source, target in (([8, 8], [64, 64]), ([13, 9], [50, 37]), ([20, 14], [7, 5]),
                           ([1, 1], [5, 4]), ([6, 6], [32, 25])):
        cases.append(dict(case=f"bilinear_{source[0]}x{source[1]}_to_{target[0]}x{target[1]}",
                          op="bilinear", target=target, shapes={"x": [1, 2, *source]}))
    norm = dict(eps=1e-5, momentum=0.1)
    for name, op, shape in (
        ("batch_norm_train", "batch_norm_train", [2, 4, 7, 5]),
        ("batch_norm_train_two_values", "batch_norm_train", [2, 4, 1, 1]),
        ("batch_norm_eval", "batch_norm_eval", [2, 4, 7, 5]),
        ("batch_norm_train_relu", "batch_norm_train_relu", [2, 4, 7, 5]),
        ("batch_norm_train_add_relu", "batch_norm_train_add_relu", [2, 4, 7, 5]),
    ):
        cases.append(dict(case=name, op=op, shapes={"x": shape}, **norm))
    return cases


def batch_norm_inputs(case):
    """Affine parameters and running statistics, by the formula of their kind."""
    name, channels = case["case"], (case["shapes"]["x"][1],)
    keys = ("weight", "bias", "running_mean", "running_var")
    inputs = {key: parameter(f"{name}/{key}", channels) for key in keys}
    if case["op"].endswith("add_relu"):
        inputs["r"] = plain(f"{name}/r", case["shapes"]["x"])
    return inputs


def layer_forward(case, t):
    """Output of one case; batch norm replaces the running statistics in `t`."""
    op = case["op"]
    if op == "conv2d":
        return F.conv2d(t["x"], t["w"], None, case["stride"], case["padding"], case["dilation"],
                        case["groups"])
    if op == "max_pool":
        return F.max_pool2d(t["x"], 3, 2, 1)
    if op == "adaptive_avg_pool":
        return F.adaptive_avg_pool2d(t["x"], case["bins"])
    if op == "bilinear":
        return F.interpolate(t["x"], size=case["target"], mode="bilinear", align_corners=False)
    t["new_running_mean"] = t["running_mean"].clone()
    t["new_running_var"] = t["running_var"].clone()
    y = F.batch_norm(t["x"], t["new_running_mean"], t["new_running_var"], t["weight"], t["bias"],
                     op != "batch_norm_eval", case["momentum"], case["eps"])
    if op.endswith("add_relu"):
        y = y + t["r"]
    return F.relu(y) if op.endswith("relu") else y


def run_layer(case, inputs, dtype):
    """Forward and backward of one case; returns every tensor by its short name."""
    differentiable = {"x": "gx", "w": "gw", "weight": "gweight", "bias": "gbias", "r": "gr"}
    t = {key: torch.from_numpy(value).to(dtype) for key, value in inputs.items()}
    for key in differentiable:
        if key in t:
            t[key].requires_grad_()
    y = layer_forward(case, t)
    gy = torch.from_numpy(plain(f"{case['case']}/gy", tuple(y.shape))).to(dtype)
    y.backward(gy)
    results = {"y": y, "gy": gy}
    results.update({g: t[key].grad for key, g in differentiable.items() if key in t})
    if case["op"].startswith("batch_norm_train"):
        results.update({key: t[key] for key in ("new_running_mean", "new_running_var")})
    return results


def layers():
    """Each layer kind forward and backward, on tiny tensors."""
    tensors, cases = {}, layer_cases()
    for case in cases:
        name = case["case"]
        inputs = {key: plain(f"{name}/{key}", shape) for key, shape in case["shapes"].items()}
        if case["op"].startswith("batch_norm"):
            inputs.update(batch_norm_inputs(case))
        exact = run_layer(case, inputs, torch.float64)
        single = run_layer(case, inputs, torch.float32)
        for key, value in {**inputs, **exact}.items():
            tensors[f"{name}/{key}"] = value
        case["shapes"]["y"] = list(exact["y"].shape)
        case["f32_error"] = {key: relative_error(single[key], exact[key])
                             for key in exact if key != "gy"}
    write_tensors("layers", tensors)
    write_json("layers", cases)


# ------------------------------------------------------------------ losses


def focal_table():
    """Loss and gradient of single entries, cross-checked with autograd."""
    rows = []
    for alpha, gamma in ((0.25, 2.0), (0.5, 1.5)):
        for z in (-100.0, -30.0, -5.0, -1.0, -0.3, 0.0, 0.3, 1.0, 5.0, 30.0, 100.0):
            for y in (0, 1):
                s, a = (1.0, alpha) if y else (-1.0, 1.0 - alpha)
                u = s * z
                q, p, softplus = 1 / (1 + np.exp(u)), 1 / (1 + np.exp(-u)), np.logaddexp(0.0, -u)
                loss = a * q**gamma * softplus
                grad = -s * a * q**gamma * (q + gamma * p * softplus)
                x = torch.tensor(z, dtype=torch.float64, requires_grad=True)
                auto = losses.focal_entries(x, torch.tensor(y), alpha, gamma)
                auto.backward()
                assert np.isclose(loss, auto.item(), rtol=1e-12, atol=0.0)
                assert np.isclose(grad, x.grad.item(), rtol=1e-12, atol=0.0)
                rows.append(dict(z=z, y=y, alpha=alpha, gamma=gamma, loss=float(loss),
                                 grad=float(grad)))
    return rows


def loss_tensor_case():
    """Logits 3r of shape [2,3,5,4] and labels 0..2 with some 255."""
    shape = (2, 3, 5, 4)
    logits = plain("loss/logits", shape, 3.0)
    label = np.minimum((unit("loss/label", (2, 5, 4)) + 1.0) * 1.5, 2.0).astype(np.uint8)
    label[unit("loss/ignore", (2, 5, 4)) > 0.6] = losses.IGNORE
    return logits, label


def focal():
    """Focal loss and cross-entropy."""
    logits, label = loss_tensor_case()
    tensor_cases = []
    for name, loss in (
        ("focal", losses.focal),
        ("focal_a50_g15", lambda z, y: losses.focal(z, y, 0.5, 1.5)),
        ("cross_entropy", losses.cross_entropy),
        ("cross_entropy_dice", losses.cross_entropy_dice),
    ):
        z = torch.from_numpy(logits).double().requires_grad_()
        value = loss(z, torch.from_numpy(label))
        value.backward()
        tensor_cases.append(dict(loss_name=name, loss=value.item(), grad=z.grad.ravel().tolist()))
    zeros = torch.zeros(1, 2, 4, 4, dtype=torch.float64)
    at_zero = losses.focal(zeros, torch.zeros(1, 4, 4, dtype=torch.uint8)).item()
    assert abs(at_zero - 0.0866434) < 5e-8
    write_json("focal", {
        "entries": focal_table(),
        "tensor": {
            "shape": list(logits.shape),
            "logits": [float(v) for v in logits.ravel()],
            "labels": label.ravel().tolist(),
            "cases": tensor_cases,
        },
    })


# ------------------------------------------------------------------ models


def build(arch, stem, classes, dtype, output_stride=8):
    return fill_by_formula(Segmentor(arch, stem, classes, 0.0, output_stride)).to(dtype)


def run_model(arch, stem, classes, dtype, output_stride):
    """Eval-mode results at 256x256 and at 253x199."""
    model = build(arch, stem, classes, dtype, output_stride).eval()
    results, features = {}, None
    for suffix, size in (("", (256, 256)), ("_odd", (253, 199))):
        x = torch.from_numpy(plain(f"input{suffix}", (1, 3, *size), 2.0)).to(dtype)
        with torch.no_grad():
            stages = model.backbone(x)
            head = model.decode_head(stages)
            full = F.interpolate(head, size=size, mode="bilinear", align_corners=False)
        features = features or stages
        results[f"logits_head{suffix}"] = head
        results[f"logits{suffix}"] = full[:, :, ::7, ::7]
    return results, features


def stage_statistics(features):
    names = ("stem_pool", "layer1", "layer2", "layer3", "layer4")
    return {
        name: dict(shape=list(f.shape), mean=f.mean().item(), std=f.std(unbiased=False).item(),
                   abs_max=f.abs().max().item())
        for name, f in zip(names, features)
    }


def models():
    """Whole networks in eval mode with formula weights."""
    for arch, stem, classes, output_stride in (
        ("pspnet", "v1c", 2, 8),
        ("deeplabv3plus", "v1c", 2, 8),
        ("pspnet", "v1", 2, 8),
        ("deeplabv3plus", "v1", 2, 8),
        ("deeplabv3plus", "v1c", 5, 8),
        ("deeplabv3plus", "v1c", 2, 16),
        ("pspnet", "v1c", 2, 32),
    ):
        name = f"model_{arch}_{stem}" + ("" if classes == 2 else f"_{classes}classes")
        name += "" if output_stride == 8 else f"_stride{output_stride}"
        exact, features = run_model(arch, stem, classes, torch.float64, output_stride)
        single, _ = run_model(arch, stem, classes, torch.float32, output_stride)
        write_tensors(name, exact)
        write_json(name, {
            "arch": arch, "stem": stem, "num_classes": classes,
            "stages": stage_statistics(features),
            "f32_error": {key: relative_error(single[key], exact[key]) for key in exact},
        })


# ---------------------------------------------------------------- training

TRACKED_NORMS = {
    "pspnet": ("backbone.stem.1", "backbone.layer2.0.downsample.1", "backbone.layer4.1.bn2",
               "decode_head.psp_modules.0.1.bn", "decode_head.bottleneck.bn",
               "auxiliary_head.convs.0.bn"),
    "deeplabv3plus": ("backbone.stem.1", "backbone.layer3.0.bn1", "decode_head.image_pool.1.bn",
                      "decode_head.aspp_modules.1.depthwise_conv.bn",
                      "decode_head.sep_bottleneck.1.pointwise_conv.bn",
                      "auxiliary_head.convs.0.bn"),
}


def noise_batch():
    """Two images of white noise with random labels, the first three rows ignored."""
    image = plain("train_input", (2, 3, 64, 64), 2.0)
    label = (unit("train_labels", (2, 64, 64)) > 0).astype(np.uint8)
    label[:, :3] = losses.IGNORE
    return image, label


def wave_batch():
    """Four unlike images of waves plus noise; the label follows the waves.

    White noise gives all images nearly the same mean, so the batch norm behind
    global pooling divides by almost nothing and float32 gradients are noisy.
    These images differ, so float32 agrees with float64 much further.
    """
    image = plain("train_steady_input", (4, 3, 64, 64)).astype(np.float64)
    label = np.zeros((4, 64, 64), np.uint8)
    y, x = np.mgrid[0:64, 0:64]
    for i, level in enumerate((0.0, 1.0, -1.0, 0.5)):
        waves = np.cos(y / (5.0 + 3.0 * i) + i) + np.cos(x / (9.0 - i))
        image[i] += waves + level
        label[i] = waves > 0
    label[:, :3] = losses.IGNORE
    return image.astype(np.float32), label


def run_training(arch, dtype, batch, base_lr):
    """First-step gradients and statistics, then five SGD steps on one batch."""
    model = build(arch, "v1c", 2, dtype).train()
    image, label = torch.from_numpy(batch[0]).to(dtype), torch.from_numpy(batch[1])
    optimiser, results, history = losses.sgd(model), {}, []
    for t in range(5):
        lr = losses.poly(t, base=base_lr)
        history.append(losses.train_step(model, optimiser, image, label, lr))
        if t > 0:
            continue
        state = model.state_dict()
        for norm in TRACKED_NORMS[arch]:
            for key in ("running_mean", "running_var"):
                results[f"{norm}.{key}"] = state[f"{norm}.{key}"].clone()
        for key, p in model.named_parameters():
            results[f"gradnorm/{key}"] = p.grad.norm().reshape(1)
            results[f"grad8/{key}"] = p.grad.ravel()[:8].clone()
    with torch.no_grad():
        history.append(losses.total_loss(*model.forward_train(image), label).item())
    for key, p in model.named_parameters():
        results[f"after5/{key}"] = p.detach().ravel()[:8].clone()
    return results, history


def training_errors(single, exact):
    """Worst float32 errors: gradient norms, gradient entries over the norm, the rest."""
    worst = {}
    for key, true in exact.items():
        group = key.split("/")[0] if "/" in key else "running"
        if group == "grad8":
            true_norm = exact[key.replace("grad8/", "gradnorm/")].item()
            error = (single[key].double() - true).abs().max().item() / true_norm
        else:
            error = relative_error(single[key], true)
        worst.setdefault(group, []).append((error, key))
    return {group: [dict(key=key, error=error) for error, key in sorted(found, reverse=True)[:5]]
            for group, found in worst.items()}


def write_training(prefix, batch, base_lr):
    for arch in ("pspnet", "deeplabv3plus"):
        exact, history = run_training(arch, torch.float64, batch, base_lr)
        single, single_history = run_training(arch, torch.float32, batch, base_lr)
        write_tensors(f"{prefix}_{arch}", {**exact, "losses": np.array(history)})
        write_json(f"{prefix}_{arch}", {
            "arch": arch, "stem": "v1c", "num_classes": 2,
            "losses": history, "losses_f32": single_history,
            "lr": [losses.poly(t, base=base_lr) for t in range(5)],
            "momentum": 0.9, "weight_decay": 5e-4,
            "f32_error": training_errors(single, exact),
        })


def train():
    """Training mode on noise: loss, gradients, running statistics, five SGD steps."""
    write_training("train", noise_batch(), 0.01)


def train_steady():
    """The same on unlike images at a tenth of the rate: well-conditioned."""
    batch = wave_batch()
    write_tensors("train_steady_input", {"image": batch[0], "label": batch[1]})
    write_training("train_steady", batch, 0.001)


# ------------------------------------------------------------------ resize


def bilinear_by_rule(image, width, height):
    """Edge-clamped bilinear by the written rule, in float64 (2x down: block mean)."""
    def taps(target, source):
        at = (np.arange(target) + 0.5) * source / target - 0.5
        low = np.floor(at).astype(int)
        part = np.clip(at - low, 0, 1)
        return np.clip(low, 0, source - 1), np.clip(low + 1, 0, source - 1), part
    y0, y1, fy = taps(height, image.shape[0])
    x0, x1, fx = taps(width, image.shape[1])
    fy = fy.reshape(-1, *[1] * (image.ndim - 1))
    fx = fx.reshape(1, -1, *[1] * (image.ndim - 2))
    image = image.astype(np.float64)
    rows = image[y0] * (1 - fy) + image[y1] * fy
    return rows[:, x0] * (1 - fx) + rows[:, x1] * fx


def nearest_by_rule(label, width, height):
    rows = np.minimum(np.arange(height) * label.shape[0] // height, label.shape[0] - 1)
    columns = np.minimum(np.arange(width) * label.shape[1] // width, label.shape[1] - 1)
    return label[rows][:, columns]


def resize():
    """OpenCV resizing: float32 bilinear (grey and colour) and uint8 nearest."""
    tensors, cases = {}, []
    for height, width, ratio in (
        (14, 20, 0.5), (13, 21, 0.5), (13, 21, 0.75), (13, 21, 1.0), (13, 21, 1.25),
        (13, 21, 1.5), (13, 21, 1.75),
    ):
        name = f"{height}x{width}_x{ratio}"
        size = (int(width * ratio + 0.5), int(height * ratio + 0.5))
        grey = (127.5 * (unit(f"{name}/grey", (height, width)) + 1)).astype(np.float32)
        colour = (127.5 * (unit(f"{name}/colour", (height, width, 3)) + 1)).astype(np.float32)
        label = np.floor(128 * (unit(f"{name}/label", (height, width)) + 1)).astype(np.uint8)
        for key, image, mode in (("grey", grey, cv2.INTER_LINEAR),
                                 ("colour", colour, cv2.INTER_LINEAR),
                                 ("label", label, cv2.INTER_NEAREST)):
            resized = cv2.resize(image, size, interpolation=mode)
            tensors[f"{name}/{key}"], tensors[f"{name}/{key}_resized"] = image, resized
            if key == "label":
                assert np.array_equal(resized, nearest_by_rule(image, *size))
            else:
                assert np.abs(resized - bilinear_by_rule(image, *size)).max() < 1e-3
        cases.append(dict(case=name, height=height, width=width, ratio=ratio,
                          target_width=size[0], target_height=size[1]))
    write_tensors("resize", tensors)
    write_json("resize", {"opencv": cv2.__version__, "cases": cases})


# ------------------------------------------------------------------- slide


def slide():
    """Window lists of sliding inference and sizes of the multi-scale passes."""
    cases = []
    for height, width, expected in (
        (1536, 2048, 165), (1756, 2560, 247), (768, 1024, 35), (878, 1280, 54),
        (484, 645, None), (100, 300, None), (256, 256, 1), (256, 257, None),
        (257, 256, None), (50, 60, 1),
    ):
        windows = pipeline.windows(height, width)
        assert expected in (None, len(windows))
        case = dict(height=height, width=width, crop=256, stride=128, count=len(windows))
        if expected is None or expected == 1:
            case["windows"] = windows
        cases.append(case)
    small = pipeline.windows(37, 50, 16, 12)
    cases.append(dict(height=37, width=50, crop=16, stride=12, count=len(small), windows=small))
    targets = [
        dict(width=w, height=h, ratio=r, target=list(pipeline.keep_ratio_size(w, h, r)))
        for w, h in ((2048, 1536), (645, 484), (1280, 878), (484, 645), (333, 97))
        for r in (0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
    ]
    write_json("slide", {"window_order": ["y1", "y2", "x1", "x2"], "cases": cases,
                         "target_order": ["width", "height"], "keep_ratio": targets})


# ----------------------------------------------------------------- metrics


def finite(value):
    """JSON form of a number or array: null for NaN."""
    if isinstance(value, np.ndarray):
        return [finite(v) for v in value.tolist()]
    return None if value != value else value


def metrics():
    """Class counts and scores over three images, with and without an absent class."""
    cases = []
    for name, classes, present in (("three_classes", 3, 3), ("absent_class", 4, 3),
                                   ("never_predicted", 3, 3), ("all_ignored", 2, 2)):
        pairs = []
        for i, shape in enumerate(((4, 5), (3, 6), (6, 4))):
            key = f"metrics/{name}/{i}"
            label = np.floor((unit(f"{key}/label", shape) + 1) * 0.5 * present).astype(np.uint8)
            wrong = unit(f"{key}/wrong", shape) > 0.2
            other = np.floor((unit(f"{key}/other", shape) + 1) * 0.5 * present).astype(np.uint8)
            prediction = np.where(wrong, other, label).astype(np.uint8)
            if name == "never_predicted":
                prediction[prediction == 2] = 1
            label[unit(f"{key}/ignore", shape) > 0.7] = losses.IGNORE
            if name == "all_ignored":
                label[:] = losses.IGNORE
            pairs.append((prediction, label))
        counts = pipeline.class_counts(pairs, classes)
        scores = pipeline.scores(counts)
        cases.append({
            "case": name, "classes": classes,
            "images": [dict(height=p.shape[0], width=p.shape[1], prediction=p.ravel().tolist(),
                            label=t.ravel().tolist()) for p, t in pairs],
            "counts": {key: value.tolist() for key, value in counts.items()},
            "scores": {key: finite(value) for key, value in scores.items()},
        })
    write_json("metrics", cases)


# -------------------------------------------------------------- components


def binary_components(image):
    """Component properties of one 0/1 image by OpenCV and scikit-image."""
    result = dict(rows=["".join(map(str, row)) for row in image.tolist()])
    for connectivity in (4, 8):
        count, _, stats, _ = cv2.connectedComponentsWithStats(image, connectivity=connectivity)
        areas = sorted(stats[1:, cv2.CC_STAT_AREA].tolist())
        result[f"opencv_{connectivity}"] = dict(count=count - 1, areas=areas)
    regions = measure.regionprops(measure.label(image, connectivity=2))
    regions.sort(key=lambda region: (region.bbox[0], region.bbox[1], region.coords[0].tolist()))
    result["regions_8"] = [
        dict(area=int(r.area), equivalent_diameter=float(r.equivalent_diameter_area),
             centroid=[float(v) for v in r.centroid], bbox=list(r.bbox),
             # Holes of an 8-connected object are 4-connected; regionprops lets them leak at corners.
             area_filled=int(ndimage.binary_fill_holes(r.image).sum()),
             perimeter_crofton=float(measure.perimeter_crofton(r.image, directions=4)),
             axis_major=float(r.axis_major_length), axis_minor=float(r.axis_minor_length),
             orientation=float(r.orientation))
        for r in regions
    ]
    return result


def threshold_sweep(image):
    """Component count and mean radius of image > t for every t (null without any)."""
    counts, radii = [], []
    for t in range(256):
        count, _, stats, _ = cv2.connectedComponentsWithStats((image > t).astype(np.uint8),
                                                              connectivity=8)
        areas = stats[1:, cv2.CC_STAT_AREA]
        counts.append(count - 1)
        radii.append(float(np.sqrt(areas / np.pi).mean()) if count > 1 else None)
    return counts, radii


def components():
    """Connected components, region properties, threshold sweep and Otsu."""
    random = (unit("components/random", (24, 32)) > 0.2).astype(np.uint8)
    shapes = np.zeros((20, 24), np.uint8)
    cv2.circle(shapes, (7, 8), 6, 1, -1)
    cv2.circle(shapes, (7, 8), 3, 0, -1)
    shapes[8, 7] = 1
    shapes[2, 18] = shapes[3, 19] = 1
    shapes[12:19, 16:22] = 1
    y, x = np.mgrid[0:40, 0:50]
    smooth = np.cos(x / 4.0) + np.cos(y / 3.5) + np.cos((x + y) / 7.0)
    grey = 120 + 32 * smooth + 8 * unit("components/noise", (40, 50))
    grey = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    counts, radii = threshold_sweep(grey)
    otsu, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ellipse = np.zeros((40, 60), np.uint8)
    cv2.ellipse(ellipse, (28, 20), (22, 9), 25, 0, 360, 1, -1)
    write_json("components", {
        "ellipse": binary_components(ellipse),
        "random": binary_components(random),
        "shapes": binary_components(shapes),
        "sweep": dict(height=40, width=50, image=grey.ravel().tolist(), counts=counts,
                      mean_radii=radii, otsu=int(otsu)),
    })


# ---------------------------------------------------------------------- lr


def lr():
    """Poly schedule of 8000 iterations."""
    write_json("lr", [
        dict(eta_min=eta_min, iterations=8000, t=t, lr=losses.poly(t, eta_min=eta_min))
        for eta_min in (0.0, 1e-4) for t in (0, 1, 1000, 4000, 7000, 7998, 7999)
    ])


def adamw():
    """Six steps of AdamW under a one-cycle schedule, on twelve weights."""
    w = torch.nn.Parameter(torch.from_numpy(unit("adamw/weights", (12,))))
    optimiser = torch.optim.AdamW([w], lr=0.1, betas=(0.9, 0.999), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 0.1, total_steps=6, pct_start=0.5, cycle_momentum=False)
    steps = []
    start = w.tolist()
    for t in range(6):
        gradient = unit(f"adamw/gradient{t}", (12,))
        w.grad = torch.from_numpy(gradient)
        lr = optimiser.param_groups[0]["lr"]
        optimiser.step()
        schedule.step() if t < 5 else None
        steps.append(dict(lr=lr, gradient=gradient.tolist(), weights=w.tolist()))
    write_json("adamw", dict(start=start, warmup=0.5, lr=0.1, weight_decay=0.05, steps=steps))


FIXTURES = [formula, layers, focal, models, train, train_steady, resize, slide, metrics,
            components, lr, adamw]


def main():
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    FOLDER.mkdir(exist_ok=True)
    by_name = {make.__name__: make for make in FIXTURES}
    for name in sys.argv[1:] or by_name:
        by_name[name]()
        print(name, "done", flush=True)


if __name__ == "__main__":
    main()
