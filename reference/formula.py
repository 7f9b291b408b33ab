"""Deterministic numbers shared with the Rust tests.

A tensor is a function of its name and shape alone: FNV-1a of the name seeds
splitmix64, whose outputs become r in [-1, 1). Weights need not be committed,
because both languages can produce them bit by bit.
"""

import numpy as np

FNV_OFFSET = 14695981039346656037
FNV_PRIME = 1099511628211
MASK = (1 << 64) - 1


def fnv1a(name):
    """64-bit FNV-1a hash of the UTF-8 bytes of `name`."""
    value = FNV_OFFSET
    for byte in name.encode("utf-8"):
        value = ((value ^ byte) * FNV_PRIME) & MASK
    return value


def unit(name, shape):
    """Float64 array of r in [-1, 1), element i (row-major) from splitmix64."""
    count = int(np.prod(shape, dtype=np.int64))
    step = np.arange(1, count + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + step * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return (2.0 * u - 1.0).reshape(shape)


def plain(name, shape, scale=1.0):
    """Float32 array of scale * r: inputs and output gradients."""
    return (scale * unit(name, shape)).astype(np.float32)


def parameter(name, shape):
    """Float32 value of a model parameter or buffer, chosen by key and rank."""
    r = unit(name, shape)
    if len(shape) == 4:
        fan_in = shape[1] * shape[2] * shape[3]
        value = r * np.sqrt(3.0) * np.sqrt(2.0 / fan_in)
    elif name.endswith("running_mean"):
        value = 0.1 * r
    elif name.endswith("running_var"):
        value = 1.0 + 0.25 * (r + 1.0)
    elif name.endswith("conv_seg.bias"):
        value = 0.1 * r
    elif name.endswith("bias"):
        value = 0.2 * r
    else:
        value = 1.0 + 0.2 * r
    return value.astype(np.float32)
