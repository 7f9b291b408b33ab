"""Writes a whole training checkpoint as MMSegmentation lays it out, and what the network answers to a picture.

The weights of a network of 12 million parameters would fill 50 MB. Here each tensor is a view of one of a few small
memories: `torch.save` keeps a memory once, and a reader has to follow offsets and strides. The network is as large as
any.
Run `python reference/make_checkpoint.py`; with MMSegmentation installed, `--mmseg` compares with the network that its
own configuration builds (nothing is written then).
"""

import math
import pathlib
import sys
import zlib
from collections import OrderedDict

import numpy as np
import torch
from safetensors.numpy import save_file

from model import Segmentor

FOLDER = pathlib.Path(__file__).parent / "fixtures" / "weights"
MEMORY = 8192
CLASSES = ("matrix", "carbide", "pearlite")
PALETTE = [[0, 0, 0], [230, 159, 0], [86, 180, 233]]
# What matters of the configuration that MMEngine keeps, in its words.
CONFIG = """
data_preprocessor = dict(
    bgr_to_rgb=True,
    mean=[120.0, 115.0, 100.0],
    size=(64, 64),
    std=[60.0, 58.0, 57.0],
    type='SegDataPreProcessor')
model = dict(
    auxiliary_head=dict(align_corners=False, channels=64, concat_input=False, in_channels=256, in_index=2,
        norm_cfg=dict(requires_grad=True, type='BN'), num_classes=3, num_convs=1, type='FCNHead'),
    backbone=dict(
        contract_dilation=True, depth=18, dilations=(1, 1, 2, 4), norm_cfg=dict(requires_grad=True, type='BN'),
        num_stages=4, out_indices=(0, 1, 2, 3), strides=(1, 2, 1, 1), style='pytorch', type='ResNetV1c'),
    decode_head=dict(align_corners=False, c1_channels=12, c1_in_channels=64, channels=128,
        dilations=(1, 12, 24, 36), dropout_ratio=0.1, in_channels=512, in_index=3,
        norm_cfg=dict(requires_grad=True, type='BN'), num_classes=3, type='DepthwiseSeparableASPPHead'),
    test_cfg=dict(crop_size=(64, 64), mode='slide', stride=(48, 48)),
    type='EncoderDecoder')
"""


def views(model):
    """The model's state as views of memories: filters that keep the size of signals, gains near one."""
    generator = np.random.default_rng(7)
    memory = torch.from_numpy(generator.uniform(-1, 1, MEMORY).astype(np.float32))
    gains = memory.abs() * 0.5 + 0.5
    # By powers of two, so that few are needed.
    scaled = {power: memory * 2.0**power for power in range(-6, 1)}
    state = OrderedDict()
    for key, tensor in model.state_dict().items():
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(4000)
            continue
        shape = tuple(tensor.shape)
        if len(shape) == 4:
            fan_in = shape[1] * shape[2] * shape[3]
            source = scaled[max(-6, round(math.log2((6 / fan_in) ** 0.5)))]
        else:
            is_gain = key.endswith(("running_var", "weight"))
            source = gains if is_gain else scaled[-3]
        # Strides by primes, so that no two filters are alike; the offset differs for each key.
        strides = (7, 5, 3, 1) if len(shape) == 4 else (1,)
        reach = sum((n - 1) * s for n, s in zip(shape, strides))
        state[key] = torch.as_strided(source, shape, strides, zlib.crc32(key.encode()) % (MEMORY - reach))
    return state


def picture():
    """`[1, 3, 64, 64]` of grey values 0..255 in steps, the same in each channel."""
    y, x = np.mgrid[:64, :64]
    grey = (x * 5 + y * 3 + 60 * ((x // 9 + y // 7) % 2)) % 256
    return grey.astype(np.uint8)


def probabilities(model, grey):
    """Of the classes at each pixel, `[classes, 64, 64]`, as MMSegmentation normalises."""
    mean = torch.tensor([120.0, 115.0, 100.0]).view(1, 3, 1, 1)
    std = torch.tensor([60.0, 58.0, 57.0]).view(1, 3, 1, 1)
    image = torch.from_numpy(grey.astype(np.float32))[None, None].expand(1, 3, 64, 64)
    model.eval()
    with torch.no_grad():
        return model.double()(((image - mean) / std).double()).softmax(1)[0].numpy()


def checkpoint():
    model = Segmentor("deeplabv3plus", "v1c", len(CLASSES))
    state = views(model)
    model.load_state_dict(state, strict=True)
    optimizer = {
        "state": {i: {"momentum_buffer": torch.as_strided(state["backbone.stem.0.weight"], (8, 3), (3, 1))} for i in range(5)},
        "param_groups": [{"lr": 0.01, "momentum": 0.9, "params": list(range(5))}],
    }
    whole = {
        "meta": {
            "cfg": CONFIG,
            "dataset_meta": {"classes": CLASSES, "palette": PALETTE},
            "epoch": 0,
            "iter": 4000,
            "mmengine_version": "0.10.7",
            "experiment_name": "deeplabv3plus_r18-d8",
        },
        "state_dict": state,
        "message_hub": {"runtime_info": {"iter": 4000}},
        "optimizer": optimizer,
        "param_schedulers": [{"last_step": 4000}],
    }
    return model, whole


def main():
    model, whole = checkpoint()
    grey = picture()
    answer = probabilities(model, grey)
    if "--mmseg" in sys.argv:
        return compare_with_mmseg(whole["state_dict"], grey, answer)
    torch.save(whole, FOLDER / "mmseg.pth")
    arrays = {"picture": grey.astype(np.float32), "probabilities": answer.astype(np.float32)}
    save_file(arrays, FOLDER / "mmseg_answer.safetensors")
    print({c: float(answer[i].mean()) for i, c in enumerate(CLASSES)}, "spread", float(answer.std(axis=(1, 2)).min()))


def compare_with_mmseg(state, grey, answer):
    import types

    # Compiled operations, which these networks do not use, are missing from `mmcv-lite`.
    operations = types.ModuleType("mmcv._ext")
    operations.__getattr__ = lambda name: None
    sys.modules["mmcv._ext"] = operations
    from mmengine.config import Config
    from mmseg.registry import MODELS
    from mmseg.utils import register_all_modules

    register_all_modules()
    config = Config.fromstring(CONFIG, ".py").model
    config.data_preprocessor = Config.fromstring(CONFIG, ".py").data_preprocessor
    config.test_cfg = dict(mode="whole")
    network = MODELS.build(config)
    network.load_state_dict(state, strict=True)
    network.eval()
    bgr = np.repeat(grey[:, :, None], 3, axis=2)
    data = {"inputs": [torch.from_numpy(bgr).permute(2, 0, 1)]}
    with torch.no_grad():
        prepared = network.data_preprocessor(data, False)["inputs"]
        logits = network.double().encode_decode(prepared.double(), [dict(ori_shape=(64, 64), img_shape=(64, 64), pad_shape=(64, 64), padding_size=[0] * 4)])
    found = logits.softmax(1)[0].numpy()
    print("largest difference of probabilities to MMSegmentation's:", np.abs(found - answer).max())


if __name__ == "__main__":
    main()
