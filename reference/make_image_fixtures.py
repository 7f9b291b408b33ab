"""Small images of every kind that microscopes and other programs write, for sorby-image/tests/kinds.rs.

Needs numpy, Pillow and tifffile. Pixel (x, y) of the 17 x 13 picture is (13 x + 7 y) % 251.
"""

import sys
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

out = Path(sys.argv[1] if len(sys.argv) > 1 else "crates/sorby-image/tests/fixture")
out.mkdir(parents=True, exist_ok=True)
y, x = np.mgrid[0:13, 0:17]
grey = ((13 * x + 7 * y) % 251).astype(np.uint8)
colour = np.stack([grey, grey // 2, 255 - grey], axis=-1)
deep = grey.astype(np.uint16) * 257
twelve = grey.astype(np.uint16) * 16
unit = (grey / 255).astype(np.float32)


def tiff(name, data, **options):
    options.setdefault("metadata", None)
    tifffile.imwrite(out / f"{name}.tif", data, **options)


for name, compression in [("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")]:
    Image.fromarray(grey).save(out / f"{name}.tif", compression=compression)
    Image.fromarray(deep).save(out / f"{name}-16bit.tif", compression=compression)
Image.fromarray(np.full_like(grey, 90)).save(out / "jpeg-in-tiff.tif", compression="jpeg")
tiff("tiled", np.pad(grey, ((0, 40), (0, 40))), tile=(16, 32))
tiff("strips", grey, rowsperstrip=3)
tiff("bigtiff", grey, bigtiff=True)
tiff("big-endian-16bit", deep, byteorder=">")
tiff("colour", colour, photometric="rgb")
tiff("colour-planar", np.moveaxis(colour, -1, 0), photometric="rgb", planarconfig="separate")
tiff("colour-alpha", np.dstack([colour, np.full_like(grey, 7)]), photometric="rgb", extrasamples=["unassalpha"])
tiff("white-is-zero", 255 - grey, photometric="miniswhite")
tiff("twelve-in-16bit", twelve)
tiff("float-unit", unit)
tiff("float-counts", unit * 4000)
tiff("float64-counts", (grey / 255 * 4000).astype(np.float64))
bad = unit.copy()
bad[3, 4] = np.nan
tiff("float-nan", bad)
tiff("uint32", grey.astype(np.uint32) * 1000)
tiff("int16", grey.astype(np.int16) - 100)
Image.fromarray(grey > 100).save(out / "one-bit.tif")
palette = Image.fromarray(grey, mode="P")
palette.putpalette([v for i in range(256) for v in (i, i, i)])
palette.save(out / "palette-lzw.tif", compression="tiff_lzw")
with tifffile.TiffWriter(out / "two-pages.tif") as w:
    w.write(grey, metadata=None)
    w.write(255 - grey, metadata=None)
with tifffile.TiffWriter(out / "float-stack.tif") as w:
    w.write(unit, metadata=None)
    w.write(1 - unit, metadata=None)
with tifffile.TiffWriter(out / "with-thumbnail.tif") as w:
    w.write(grey, metadata=None)
    w.write(grey[::4, ::4], metadata=None, subfiletype=1)
Image.fromarray(np.dstack([grey, np.full_like(grey, 9)]), mode="LA").save(out / "grey-alpha.png")
Image.fromarray(deep).save(out / "16bit.png")
Image.fromarray(grey > 100).save(out / "one-bit.png")
