"""Pictures of the kinds that readers get wrong, for sorby-image/tests/readers.rs: TIFF kinds, JPEG, orientation.

Needs numpy, Pillow, tifffile, imagecodecs. What Pillow makes of a file is asserted here where it can read it.
Pixel (x, y) of the 17 x 13 picture is (13 x + 7 y) % 251.
"""

import io
import struct
import sys
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

out = Path(sys.argv[1] if len(sys.argv) > 1 else "crates/sorby-image/tests/fixture/readers")
out.mkdir(parents=True, exist_ok=True)
y, x = np.mgrid[0:13, 0:17]
grey = ((13 * x + 7 * y) % 251).astype(np.uint8)
colour = np.stack([grey, grey // 2, 255 - grey], axis=-1)
deep = grey.astype(np.uint16) * 257
unit = (grey / 255).astype(np.float32)
# Smooth, so that readers may differ in how they enlarge the colours of a JPEG.
Y, X = np.mgrid[0:32, 0:48]
smooth = np.stack([4 * X + 20, 5 * Y + 60, 200 - 2 * X - 2 * Y], axis=-1).astype(np.uint8)


def tiff(name, data, **options):
    options.setdefault("metadata", None)
    tifffile.imwrite(out / f"{name}.tif", data, **options)


def pillow(name, expected):
    with Image.open(out / f"{name}.tif") as image:
        found = np.asarray(image.convert("L") if image.mode == "1" else image)
    assert np.array_equal(found, expected), name


# Planes, tiles, strips of planes.
planes = np.moveaxis(colour, -1, 0)
tiff("tiled-planar", planes, photometric="rgb", planarconfig="separate", tile=(16, 16), compression="zlib")
tiff("tiled-planar-16bit", planes.astype(np.uint16) * 257, photometric="rgb", planarconfig="separate",
     tile=(16, 16), compression="zlib", predictor=True, byteorder=">")
tiff("strips-planar", planes, photometric="rgb", planarconfig="separate", rowsperstrip=5)

# Bits from the lowest: every byte of the strips is reversed, the tag is added.
def reverse_bits(name, source, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, source, metadata=None, extratags=[(265, "H", 1, 2, True)], **options)
    # tifffile does not write FillOrder: another tag becomes it.
    data = bytearray(buffer.getvalue().replace(struct.pack("<HHI", 265, 3, 1), struct.pack("<HHI", 266, 3, 1)))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as t:
        page = t.pages[0]
        places = list(zip(page.dataoffsets, page.databytecounts))
    for offset, count in places:
        for i in range(offset, offset + count):
            data[i] = int(f"{data[i]:08b}"[::-1], 2)
    (out / f"{name}.tif").write_bytes(data)


reverse_bits("reversed", grey)
pillow("reversed", grey)
reverse_bits("reversed-lzw", grey, compression="lzw")
reverse_bits("reversed-one-bit", grey > 100, photometric="minisblack")
pillow("reversed-one-bit", np.where(grey > 100, 255, 0))
Image.fromarray(grey > 100).save(out / "g4.tif", compression="group4")
Image.fromarray(grey > 100).save(out / "g3.tif", compression="group3")

# Palettes: colours, and few bits.
image = Image.fromarray(grey % 16, mode="P")
colours = [((i * 40) % 256, (i * 90) % 256, 255 - i) for i in range(256)]
image.putpalette([v for c in colours for v in c])
for name, compression in [("lzw", "tiff_lzw"), ("raw", "raw")]:
    image.save(out / f"palette-{name}.tif", compression=compression)
table = np.array(colours[:16], np.uint16).T * 257
buffer = io.BytesIO()
tifffile.imwrite(buffer, grey % 16, metadata=None, photometric="minisblack", bitspersample=4,
                 extratags=[(319, "H", 48, tuple(int(v) for v in table.ravel()), True)])
# tifffile writes no palette of 16 colours: another tag becomes it.
data = buffer.getvalue().replace(struct.pack("<HHI", 319, 3, 48), struct.pack("<HHI", 320, 3, 48))
(out / "palette-4bit.tif").write_bytes(data.replace(struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 3)))
assert tifffile.TiffFile(out / "palette-4bit.tif").pages[0].photometric == 3
pillow("palette-4bit", grey % 16)

# Grey of odd bits.
tiff("four-bits", grey % 16, photometric="minisblack", bitspersample=4)
tiff("twelve-bits", grey.astype(np.uint16) * 16, photometric="minisblack", bitspersample=12)

# Predictors and number formats.
for name, data in [("f16", unit.astype(np.float16)), ("f32", unit), ("f64", unit.astype(np.float64))]:
    for order, word in [("<", "le"), (">", "be")]:
        tiff(f"predictor-{name}-{word}", data, predictor=3, compression="zlib", byteorder=order)
tiff("predictor-extra", np.dstack([colour, grey[::-1]]), photometric="rgb", extrasamples=["unspecified"],
     predictor=True, compression="lzw")
tiff("zstd-16bit", deep, compression="zstd", predictor=True)
tiff("int8", (grey.astype(np.int16) - 128).astype(np.int8))
tiff("white-is-zero-16bit", 65535 - deep, photometric="miniswhite")
tiff("white-is-zero-float", 1 - unit, photometric="miniswhite")
tiff("white-is-zero-int16", deep.astype(np.int16), photometric="miniswhite")

# JPEG inside.
Image.fromarray(smooth).save(out / "jpeg-ycbcr.tif", compression="jpeg", quality=95)
tiff("jpeg-tiles", smooth, photometric="ycbcr", compression="jpeg", compressionargs={"level": 95},
     subsampling=(1, 1), tile=(16, 16))
tiff("jpeg-rgb", smooth, photometric="rgb", compression="jpeg",
     compressionargs={"level": 95, "colorspace": "rgb", "outcolorspace": "rgb"})
for name in ["jpeg-ycbcr"]:
    Image.open(out / f"{name}.tif").convert("RGB").save(out / f"{name}.png")
Image.fromarray(tifffile.imread(out / "jpeg-tiles.tif")).save(out / "jpeg-tiles.png")

# Colours of other kinds.
cmyk = np.dstack([grey, grey // 2, 255 - grey, grey // 3])
tiff("cmyk", cmyk, photometric="separated")
Image.fromarray(cmyk, mode="CMYK").convert("RGB").save(out / "cmyk.png")
tiff("lab", colour, photometric="cielab")
tiff("complex", unit.astype(np.complex64))
tiff("premultiplied-full", np.dstack([grey, np.full_like(grey, 255)]), photometric="minisblack",
     extrasamples=["assocalpha"], planarconfig="contig")
tiff("premultiplied", np.dstack([grey, 255 - grey]), photometric="minisblack", extrasamples=["assocalpha"],
     planarconfig="contig")
tiff("grey-alpha", np.dstack([grey, 255 - grey]), photometric="minisblack", extrasamples=["unassalpha"],
     planarconfig="contig")
tiff("two-channels", np.dstack([grey, 255 - grey]), photometric="minisblack", planarconfig="contig")
tiff("five-channels", np.dstack([grey] * 5), photometric="minisblack", planarconfig="contig")
for name in ["jpeg2000", "webp", "lerc", "lzma"]:
    tiff(f"compressed-{name}", colour if name == "webp" else grey, compression=name)

# Several pictures behind one directory, and pictures in sub-directories.
stack = np.stack([grey, 255 - grey, grey // 2])
tifffile.imwrite(out / "stack-imagej.tif", stack, imagej=True, metadata={"axes": "ZYX"})
tifffile.imwrite(out / "stack-tifffile.tif", stack, photometric="minisblack", truncate=True)
tiff("stack-volume", stack, volumetric=True, photometric="minisblack", tile=(1, 16, 16))
tiff("stack-metamorph", grey, extratags=[(33629, "2I", 3, (1, 1, 2, 1, 3, 1), True)])
with tifffile.TiffWriter(out / "in-sub-directory.tif") as w:
    w.write(grey[::4, ::4], metadata=None, subfiletype=1, subifds=1)
    w.write(grey, metadata=None)
with tifffile.TiffWriter(out / "pyramid-in-sub-directory.tif") as w:
    w.write(grey, metadata=None, subifds=1)
    w.write(grey[::2, ::2], metadata=None, subfiletype=1)
tiff("one-of-a-stack", grey, description="ImageJ=1.53t\nimages=12\nslices=12\n")
frames = [Image.fromarray(grey), Image.fromarray(255 - grey)]
frames[0].save(out / "animated.png", save_all=True, append_images=frames[1:])

# The way a picture is to be turned: the stored pixels are the same in all.
for n in range(1, 9):
    exif = Image.Exif()
    exif[274] = n
    Image.fromarray(grey).save(out / f"turned-{n}.png", exif=exif)
    tiff(f"turned-{n}", grey, extratags=[(274, "H", 1, n, True)])
    Image.fromarray(smooth).save(out / f"turned-{n}.jpg", exif=exif, quality=95, subsampling=0)

# JPEG: whole files, which the test cuts.
exif = Image.Exif()
exif[271] = "maker"
thumbnail = io.BytesIO()
Image.fromarray(smooth[::4, ::4]).save(thumbnail, "JPEG")
kinds = {
    "baseline": (smooth, {}),
    "full-colour": (smooth, {"subsampling": 0}),
    "grey": (smooth[..., 1], {}),
    "restart": (smooth, {"restart_marker_blocks": 1}),
    "restart-rows": (smooth[..., 0], {"restart_marker_rows": 1}),
    "progressive": (smooth, {"progressive": True}),
    "progressive-grey": (smooth[..., 0], {"progressive": True}),
    "progressive-restart": (smooth, {"progressive": True, "restart_marker_blocks": 2}),
    "odd-size": (smooth[:19, :35], {"progressive": True, "optimize": True}),
    "noise": (np.random.default_rng(7).integers(0, 256, (24, 40, 3)).astype(np.uint8), {"progressive": True}),
    "thumbnail": (smooth, {"comment": thumbnail.getvalue()}),
}
for name, (data, options) in kinds.items():
    Image.fromarray(data).save(out / f"{name}.jpg", quality=options.pop("quality", 85), **options)
Image.fromarray(np.dstack([smooth, smooth[..., :1]]), mode="CMYK").save(out / "cmyk.jpg")
Image.fromarray(smooth).save(out / "two-pictures.jpg", "MPO", save_all=True,
                             append_images=[Image.fromarray(255 - smooth)])


def segments(data):
    """Marker and body of each segment, and the data of the scan."""
    place = 2
    while True:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        yield marker, data[place : place + 2 + length]
        place += 2 + length
        if marker == 0xDA:
            yield None, data[place:-2]
            return


# Three scans of one component each, from three grey pictures of the same tables.
parts = []
for channel in range(3):
    buffer = io.BytesIO()
    Image.fromarray(smooth[..., channel]).save(buffer, "JPEG", quality=85)
    parts.append(list(segments(buffer.getvalue())))
whole = b"\xff\xd8"
for marker, body in parts[0]:
    if marker == 0xC0:
        whole += b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 32, 48, 3) + b"".join(bytes([i, 0x11, 0]) for i in (1, 2, 3))
    elif marker == 0xDA:
        for number, part in enumerate(parts, 1):
            whole += b"\xff\xda\0\x08\x01" + bytes([number]) + b"\0\0\x3f\0" + dict(part)[None]
    elif marker is not None:
        whole += body
whole += b"\xff\xd9"
(out / "scans.jpg").write_bytes(whole)
assert Image.open(out / "scans.jpg").convert("RGB").size == (48, 32)
