"""Writes true masks in every coding, container, depth, photometric, palette, orientation and compression that Pillow and
tifffile can write, for `crates/sorby-cli/tests/cli/codings.rs`.

    python reference/make_codings.py crates/sorby-cli/tests/fixtures/codings.zip

Needs numpy, pillow, tifffile, imagecodecs. Each entry of `index.json` in the archive names a file, what a reader must
find in it (`count` objects of `area_px` pixels of class 1), and its kind. The reader may refuse a file; it may not find
another number.
"""

import io
import json
import sys
import zipfile

import numpy as np
import tifffile
from PIL import Image, ImageDraw, PngImagePlugin

W, H = 80, 60
DISCS = [(12, 11, 7), (34, 10, 5), (60, 14, 9), (15, 40, 8), (42, 38, 6), (66, 44, 7)]


def discs(scale=1):
    picture = Image.new("L", (W * scale, H * scale), 0)
    draw = ImageDraw.Draw(picture)
    for x, y, r in DISCS:
        draw.ellipse([(x - r) * scale, (y - r) * scale, (x + r) * scale, (y + r) * scale], fill=1)
    return np.asarray(picture)


def numbered(touching):
    """Object numbers; with `touching`, the third disc is cut into two halves that meet."""
    yy, xx = np.mgrid[:H, :W]
    ids = np.zeros((H, W), np.uint32)
    for i, (x, y, r) in enumerate(DISCS):
        ids[(xx - x) ** 2 + (yy - y) ** 2 <= r * r] = i + 1
    if touching:
        ids[(ids == 3) & (xx >= DISCS[2][0])] = len(DISCS) + 1
    return ids


MASK = discs()
AREA = int(MASK.sum())
THREE = MASK.copy()
THREE[24:30, 4:30] = 2
ENTRIES = []
BLOBS = {}


def add(kind, name, data, count=len(DISCS), area=AREA, classes=2, field=W * H):
    """`count` -1: no number can be right, only a refusal."""
    assert name not in BLOBS, name
    BLOBS[name] = data
    ENTRIES.append({"file": name, "kind": kind, "count": count, "area_px": area, "field_px": field, "classes": classes})


def pil(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def tif(array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    return out.getvalue()


# Values that stand for (matrix, carbide); the second list is of three classes (matrix, carbide, pore).
TWO = {"index": (0, 1), "black-white": (0, 255)}
COMPRESSIONS = [None, "lzw", "zlib", "packbits", "zstd", "lzma", "adobe_deflate"]


def grey_files():
    for coding, values in TWO.items():
        a8 = np.where(MASK == 1, values[1], values[0]).astype(np.uint8)
        add(f"{coding} png", f"{coding}.png", pil(Image.fromarray(a8), "PNG"))
        add(f"{coding} png", f"{coding}-optimised.png", pil(Image.fromarray(a8), "PNG", optimize=True))
        for level in (0, 9):
            add(f"{coding} png", f"{coding}-level{level}.png", pil(Image.fromarray(a8), "PNG", compress_level=level))
        rgb = Image.fromarray(np.stack([a8] * 3, -1))
        add(f"{coding} rgb", f"{coding}-rgb.png", pil(rgb, "PNG"))
        add(f"{coding} rgb", f"{coding}-rgb.bmp", pil(rgb, "BMP"))
        add(f"{coding} bmp", f"{coding}.bmp", pil(Image.fromarray(a8), "BMP"))
        rgba = np.dstack([a8, a8, a8, np.full_like(a8, 255)])
        add(f"{coding} rgba", f"{coding}-rgba.png", pil(Image.fromarray(rgba), "PNG"))
        add(f"{coding} rgba", f"{coding}-la.png", pil(Image.fromarray(np.dstack([a8, np.full_like(a8, 255)])), "PNG"))
        for compression in COMPRESSIONS:
            for extra, options in {
                "strips": {"rowsperstrip": 7},
                "tiles": {"tile": (16, 32)},
                "big-endian": {"byteorder": ">"},
                "bigtiff": {"bigtiff": True},
                "predictor": {"predictor": True},
            }.items():
                if extra == "predictor" and compression in (None, "packbits"):
                    continue
                name = f"{coding}-{compression or 'plain'}-{extra}.tif"
                try:
                    add(f"{coding} tiff {compression}", name, tif(a8, compression=compression, photometric="minisblack", **options))
                except Exception as error:  # what the writer cannot write is not tried
                    print("left out", name, error)
        for dtype in (np.uint16, np.uint32, np.uint64, np.int8, np.int16, np.int32, np.int64, np.float16, np.float32, np.float64):
            if np.dtype(dtype) == np.int8 and coding == "black-white":
                continue
            for endian in "<>":
                a = np.where(MASK == 1, values[1], values[0]).astype(dtype)
                name = f"{coding}-{np.dtype(dtype).name}{'' if endian == '<' else '-be'}.tif"
                add(f"{coding} {np.dtype(dtype).name}", name, tif(a, photometric="minisblack", byteorder=endian, compression="zlib"))
        a16 = np.where(MASK == 1, values[1], values[0]).astype(np.uint16)
        add(f"{coding} uint16", f"{coding}-16.png", pil(Image.fromarray(a16), "PNG"))
        # The stored value counts, whatever the photometric interpretation says.
        for compression in (None, "zlib", "lzw"):
            add(f"{coding} miniswhite", f"{coding}-miniswhite-{compression}.tif", tif(a8, photometric="miniswhite", compression=compression))
            add(f"{coding} miniswhite", f"{coding}-miniswhite16-{compression}.tif", tif(a16, photometric="miniswhite", compression=compression))
        for planar in ("contig", "separate"):
            stack = np.stack([a8] * 3, -1) if planar == "contig" else np.stack([a8] * 3)
            for tiles in (None, (16, 32)):
                for compression in (None, "lzw", "zlib"):
                    name = f"{coding}-rgb-{planar}-{'tiles' if tiles else 'strips'}-{compression}.tif"
                    add(f"{coding} rgb {planar}", name, tif(stack, photometric="rgb", planarconfig=planar, tile=tiles, compression=compression))
    full = np.where(MASK == 1, 65535, 0).astype(np.uint16)
    add("white 65535", "white16.png", pil(Image.fromarray(full), "PNG"))
    for compression in (None, "zlib"):
        add("white 65535", f"white16-{compression}.tif", tif(full, photometric="minisblack", compression=compression))
        add("white float", f"white-float-{compression}.tif", tif(MASK.astype(np.float32), photometric="minisblack", compression=compression))
    add("minus one", "minus-one.tif", tif(-(MASK.astype(np.int16)), photometric="minisblack"))


def bit_files():
    bits = Image.fromarray(MASK == 1)
    add("1 bit", "bit.png", pil(bits, "PNG"))
    add("1 bit", "bit.bmp", pil(bits, "BMP"))
    for compression in ("raw", "group3", "group4", "tiff_lzw", "tiff_deflate", "packbits"):
        add("1 bit tiff", f"bit-{compression}.tif", pil(bits, "TIFF", compression=compression))
    for photometric in ("minisblack", "miniswhite"):
        for compression in (None, "packbits", "zlib"):
            name = f"bool-{photometric}-{compression}.tif"
            add("1 bit tiff", name, tif(MASK == 1, photometric=photometric, compression=compression))
    for depth in (2, 4):
        png = PngBits(MASK, depth)
        add("few bits", f"bits{depth}.png", png)
        for photometric in ("minisblack", "miniswhite"):
            add("few bits", f"bits{depth}-{photometric}.tif", packed_tiff(MASK, depth, photometric))
            add("few bits", f"bits{depth}-{photometric}-reversed.tif", packed_tiff(MASK, depth, photometric, fill_order=2))
    for photometric in ("minisblack", "miniswhite"):
        add("1 bit tiff", f"bit-{photometric}-reversed.tif", packed_tiff(MASK, 1, photometric, fill_order=2))


def pack(array, depth):
    rows = []
    for row in array:
        bits = np.unpackbits(row[:, None], axis=1)[:, 8 - depth:].reshape(-1)
        rows.append(np.packbits(bits).tobytes())
    return rows


def PngBits(array, depth):
    """A grey PNG of 2 or 4 bits, which Pillow only writes with a palette."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    raw = b"".join(b"\0" + row for row in pack(array, depth))
    head = struct.pack(">IIBBBBB", W, H, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def packed_tiff(array, depth, photometric, fill_order=1):
    """One strip of packed samples, with the order of bits in a byte that the tag says."""
    import struct

    data = b"".join(pack(array, depth))
    if fill_order == 2:
        data = bytes(int(f"{b:08b}"[::-1], 2) for b in data)
    tags = [
        (256, 3, W), (257, 3, H), (258, 3, depth), (259, 3, 1), (262, 3, 0 if photometric == "miniswhite" else 1),
        (266, 3, fill_order), (273, 4, 8 + 2 + 10 * 12 + 4), (277, 3, 1), (278, 3, H), (279, 4, len(data)),
    ]
    out = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(tags))
    for tag, kind, value in tags:
        out += struct.pack("<HHI", tag, kind, 1) + (struct.pack("<HH", value, 0) if kind == 3 else struct.pack("<I", value))
    return out + struct.pack("<I", 0) + data


PALETTES = {
    "black-red": [(0, 0, 0), (255, 0, 0)],
    "red-black": [(255, 0, 0), (0, 0, 0)],
    "white-black": [(255, 255, 255), (0, 0, 0)],
    "grey": [(i, i, i) for i in range(256)],
    "inverted": [(255 - i,) * 3 for i in range(256)],
    "same": [(9, 9, 9), (9, 9, 9)],
}


def palette_files():
    for palette, colours in PALETTES.items():
        flat = sum((list(c) for c in colours), [])
        image = Image.frombytes("P", (W, H), MASK.astype(np.uint8).tobytes())
        image.putpalette(flat)
        for bits in (1, 2, 4, 8):
            if len(colours) > 1 << bits:
                continue
            add(f"palette png {palette}", f"palette-{palette}-{bits}.png", pil(image, "PNG", bits=bits))
        add(f"palette png {palette}", f"palette-{palette}-trns.png", pil(image, "PNG", transparency=0))
        table = np.zeros((3, 256), np.uint16)
        table[:, : len(colours)] = np.array(colours, np.uint16).T * 257
        for compression in (None, "lzw", "zlib", "packbits"):
            add(f"palette tiff {palette}", f"palette-{palette}-{compression}.tif",
                tif(MASK.astype(np.uint8), photometric="palette", colormap=table, compression=compression))
        add(f"palette tiff {palette}", f"palette-{palette}-pil.tif", pil(image, "TIFF"))
        add(f"palette bmp {palette}", f"palette-{palette}.bmp", pil(image, "BMP"))


def class_files():
    for name, values in {"grey127": (0, 127, 255), "grey128": (0, 128, 255), "index3": (0, 1, 2), "gap": (0, 1, 7)}.items():
        a = np.choose(THREE, values).astype(np.uint8)
        add(f"three classes {name}", f"{name}.png", pil(Image.fromarray(a), "PNG"), classes=3)
        add(f"three classes {name}", f"{name}.tif", tif(a, photometric="minisblack", compression="lzw"), classes=3)
        add(f"three classes {name}", f"{name}-rgb.png", pil(Image.fromarray(np.stack([a] * 3, -1)), "PNG"), classes=3)
    void = MASK.copy().astype(np.uint8)
    void[:, -6:] = 255
    void[:, -6:][MASK[:, -6:] == 1] = 255
    kept = MASK.copy()
    kept[:, -6:] = 0
    add("index with 255", "void.png", pil(Image.fromarray(void), "PNG"), area=int(kept.sum()), field=(W - 6) * H)
    add("index with 255", "void.tif", tif(void, photometric="minisblack", compression="zlib"), area=int(kept.sum()), field=(W - 6) * H)


def soft_files():
    big = Image.fromarray((discs(4) * 255).astype(np.uint8)).resize((W, H), Image.LANCZOS)
    true = int((np.asarray(big) >= 128).sum())
    add("soft edges", "soft.png", pil(big, "PNG"), area=true)
    add("soft edges", "soft.tif", tif(np.asarray(big), photometric="minisblack"), area=true)
    red = np.dstack([np.asarray(big), np.zeros((H, W, 2), np.uint8)])
    add("soft edges", "soft-red.png", pil(Image.fromarray(red), "PNG"), area=true)
    for coding, values in TWO.items():
        a = Image.fromarray(np.where(MASK == 1, values[1], values[0]).astype(np.uint8))
        for quality in (30, 60, 75, 90, 95, 100):
            for progressive in (False, True):
                name = f"{coding}-q{quality}{'-progressive' if progressive else ''}.jpg"
                add(f"{coding} jpeg", name, pil(a, "JPEG", quality=quality, progressive=progressive))
            add(f"{coding} jpeg", f"{coding}-q{quality}-rgb.jpg", pil(a.convert("RGB"), "JPEG", quality=quality))
        for quality in (75, 95):
            add(f"{coding} jpeg tiff", f"{coding}-jpeg{quality}.tif",
                tif(np.asarray(a), photometric="minisblack", compression="jpeg", compressionargs={"level": quality}, tile=(16, 16)))


def alpha_files():
    grey = np.full((H, W), 120, np.uint8)
    alpha = (MASK * 255).astype(np.uint8)
    add("object in alpha", "alpha-la.png", pil(Image.fromarray(np.dstack([grey, alpha])), "PNG"))
    add("object in alpha", "alpha-rgba.png", pil(Image.fromarray(np.dstack([grey, grey, grey, alpha])), "PNG"))
    add("object in alpha", "alpha-rgba.tif", tif(np.dstack([grey, grey, grey, alpha]), photometric="rgb", extrasamples=["unassalpha"]))
    painted = np.zeros((H, W, 4), np.uint8)
    painted[MASK == 1] = (255, 0, 0, 255)
    add("painted with alpha", "painted-rgba.png", pil(Image.fromarray(painted), "PNG"))


def colour_files():
    paint = np.zeros((H, W, 3), np.uint8)
    paint[MASK == 1] = (255, 0, 0)
    for form in ("PNG", "BMP"):
        add("painted", f"painted.{form.lower()}", pil(Image.fromarray(paint), form))
    for planar in ("contig", "separate"):
        stack = paint if planar == "contig" else np.moveaxis(paint, -1, 0).copy()
        add("painted", f"painted-{planar}.tif", tif(stack, photometric="rgb", planarconfig=planar, compression="lzw"))
    rng = np.random.default_rng(5)
    steel = rng.normal(110, 14, (H, W)).clip(0, 255).astype(np.uint8)
    over = np.stack([steel] * 3, -1)
    over[MASK == 1] = (255, 0, 0)
    add("painted over grey", "over.png", pil(Image.fromarray(over), "PNG"))
    add("painted over grey", "over.tif", tif(over, photometric="rgb"))
    add("painted cmyk", "painted-cmyk.tif", pil(Image.fromarray(paint).convert("CMYK"), "TIFF"))
    add("painted cmyk", "painted-cmyk.jpg", pil(Image.fromarray(paint).convert("CMYK"), "JPEG", quality=95))
    add("micrograph", "micrograph.png", pil(Image.fromarray(steel), "PNG"), count=-1, area=-1)
    add("micrograph", "micrograph.jpg", pil(Image.fromarray(steel), "JPEG", quality=90), count=-1, area=-1)
    add("micrograph", "micrograph-16.tif", tif(steel.astype(np.uint16) * 257, photometric="minisblack"), count=-1, area=-1)


def id_files():
    for touching in (False, True):
        ids = numbered(touching)
        count, area = int(ids.max()), int((ids > 0).sum())
        spread = np.where(ids > 0, ids * 37 + 11, 0)
        large = np.where(ids > 0, ids + np.uint32(70000), 0)
        for shape, values in {"": ids, "gaps": spread, "large": large}.items():
            for dtype in (np.uint8, np.uint16, np.uint32, np.uint64, np.int16, np.int32, np.int64, np.float32):
                if values.max() > np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else False:
                    continue
                name = f"ids{'-touching' if touching else ''}{'-' + shape if shape else ''}-{np.dtype(dtype).name}.tif"
                add("object numbers", name, tif(values.astype(dtype), photometric="minisblack", compression="zlib"), count, area)
            if values.max() < 65536:
                name = f"ids{'-touching' if touching else ''}{'-' + shape if shape else ''}.png"
                add("object numbers", name, pil(Image.fromarray(values.astype(np.uint16)), "PNG"), count, area)


def turned_files():
    """A mask that says it is to be seen turned. Count and area do not change by turning."""
    image = Image.fromarray((MASK * 255).astype(np.uint8))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[274] = orientation
        add("turned", f"turned{orientation}.png", pil(image, "PNG", exif=exif))
        add("turned", f"turned{orientation}.tif", tif((MASK * 255).astype(np.uint8), photometric="minisblack", extratags=[(274, 3, 1, orientation, True)]))


def stack_files():
    """More than one picture in a file: which one is the mask?"""
    pages = np.stack([MASK, 1 - MASK]).astype(np.uint8)
    add("stack", "pages.tif", tif(pages, photometric="minisblack"), count=-1, area=-1)
    add("stack", "hyperstack.tif", tif(pages, imagej=True), count=-1, area=-1)
    add("stack", "samples.tif", tif(np.moveaxis(pages, 0, -1), photometric="minisblack", planarconfig="contig"), count=-1, area=-1)


for make in (grey_files, bit_files, palette_files, class_files, soft_files, alpha_files, colour_files, id_files, turned_files, stack_files):
    make()
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    stamp = (2026, 11, 26, 0, 0, 0)
    index = {"width_px": W, "height_px": H, "files": ENTRIES}
    archive.writestr(zipfile.ZipInfo("index.json", stamp), json.dumps(index, indent=0), zipfile.ZIP_DEFLATED)
    for name, data in BLOBS.items():
        archive.writestr(zipfile.ZipInfo(name, stamp), data, zipfile.ZIP_DEFLATED)
print(len(ENTRIES), "files")
