"""A data set whose images have each their own contrast: python3 make_low_contrast.py DATA OUT [LEAST_GAIN].

Copies DATA (images/ with PNG files, labels/, dataset.toml) to OUT and gives each image its own gain (log-uniform from LEAST_GAIN to 1,
default 0.08), gamma (0.74 to 1.35), offset within what the gain leaves, and shading (up to 5 % of the range across the field); values are
rounded to 8 bits again. The same DATA gives the same OUT: the numbers come from a fixed seed in the order of the names.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

source, out = Path(sys.argv[1]), Path(sys.argv[2])
least_gain = float(sys.argv[3]) if len(sys.argv) > 3 else 0.08
shutil.copytree(source, out)
random = np.random.default_rng(1)
for file in sorted((out / "images").glob("*.png")):
    grey = np.asarray(Image.open(file).convert("L")).astype(float) / 255
    gain = np.exp(random.uniform(np.log(least_gain), 0))
    gamma = np.exp(random.uniform(-0.3, 0.3))
    offset = random.uniform(0, 1 - gain)
    rows, columns = grey.shape
    slope = random.uniform(-0.05, 0.05, 2)
    shade = slope[0] * np.linspace(-0.5, 0.5, rows)[:, None] + slope[1] * np.linspace(-0.5, 0.5, columns)[None, :]
    value = offset + gain * (grey**gamma + shade)
    Image.fromarray(np.clip(np.round(255 * value), 0, 255).astype(np.uint8)).save(file)
