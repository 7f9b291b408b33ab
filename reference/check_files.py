"""Reads the files that Sorby writes for other programs with the libraries of their formats: `python check_files.py FOLDER SORBY`.

Masks as OME-TIFF (tifffile, ome-types), COCO (pycocotools), GeoJSON (shapely), ImageJ's regions (roifile), Parquet (pyarrow)
and Data Packages (frictionless). What they read is compared with the tables of `sorby measure`, value by value. FOLDER is
made anew. Prints what was compared; stops at the first difference.
"""

import collections
import csv
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import ome_types
import pyarrow.parquet
import roifile
import shapely
import shapely.geometry
import tifffile
from frictionless import Package
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

NM = 12.5


def sorby(program, *arguments, cwd, codes=(0,)):
    done = subprocess.run([program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    assert done.returncode in codes, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def box(row):
    """Left, top, right, bottom in pixels, the last two beyond the object."""
    names = ("min_column", "min_row", "max_column", "max_row")
    return [int(row[f"bbox_{name}_px"]) for name in names]


def make_masks(folder):
    """Objects of every shape: with holes and objects within these, joined at corners only, cut by the edge, of one pixel."""
    noise = np.random.default_rng(7)
    folder.mkdir()
    for name, size, passes, level in [("blobs", (97, 131), 3, 0.5), ("crumbs", (64, 80), 1, 0.7)]:
        field = noise.standard_normal(size)
        for _ in range(passes):
            field = sum(np.roll(field, step, axis) for axis in (0, 1) for step in (-1, 0, 1)) / 6
        mask = field > np.quantile(field, level)
        Image.fromarray(mask.astype(np.uint8)).save(folder / f"{name}.png")


def signed_area(ring):
    """Of a polygon, negative where it goes round a hole."""
    x, y = ring.T.astype(float)
    return (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def check_geojson(out, table):
    kinds = collections.Counter()
    for name in table:
        features = json.loads((out / f"{name}.geojson").read_text())["features"]
        assert len(features) == len(table[name])
        for feature, row in zip(features, table[name], strict=True):
            shape = shapely.geometry.shape(feature["geometry"])
            assert shape.is_valid, shapely.is_valid_reason(shape)
            kinds[shape.geom_type] += 1
            kinds["with holes"] += int(len(shapely.get_rings(shape)) > shapely.get_num_geometries(shape))
            assert shape.area == int(row["area_px"]) and list(shape.bounds) == box(row)
            said = feature["properties"]["measurements"]
            assert said["particle"] == int(row["particle"]) and abs(said["solidity"] - float(row["solidity"])) < 1e-4
    print(f"GeoJSON, shapely {shapely.__version__}: valid; areas and boxes of {dict(kinds)} are those of the table")


def check_rois(out, table):
    composites = 0
    for name in table:
        rois = roifile.ImagejRoi.fromfile(out / f"{name}-RoiSet.zip")
        assert len(rois) == len(table[name])
        for roi, row in zip(rois, table[name], strict=True):
            assert [roi.left, roi.top, roi.right, roi.bottom] == box(row)
            rings = roi.coordinates(multi=True)
            composites += len(rings) > 1
            area = sum(signed_area(np.asarray(ring)) for ring in rings)
            assert area == int(row["area_px"]), (name, row["particle"], area, row["area_px"])
    print(f"RoiSet.zip, roifile {roifile.__version__}: areas and boxes are those of the table ({composites} composites)")


def check_tiff(path, kind, nm=NM):
    """The pixels; what the file says of them is looked at by two readers."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert file.is_ome and len(file.pages) == 1 and file.series[0].axes == "YX"
        assert page.tags["ResolutionUnit"].value == 3 and page.photometric == 1
        for side in ("XResolution", "YResolution"):
            above, below = page.tags[side].value
            assert abs(1e7 * below / above - nm) < 1e-6 * nm
        pixels = page.asarray()
        colours = np.array(page.tags["ColorMap"].value).reshape(3, 256) if "ColorMap" in page.tags else None
    ome = ome_types.from_tiff(path, validate=True)
    stated = ome.images[0].pixels
    assert (stated.size_y, stated.size_x) == pixels.shape and stated.type.value == pixels.dtype.name == kind
    assert stated.physical_size_x == stated.physical_size_y == nm
    assert stated.physical_size_x_unit.value == stated.physical_size_y_unit.value == "nm"
    return pixels, colours, ome


def check_object_tiffs(program, out, table):
    for name in table:
        path = out / f"{name}-objects.tif"
        numbers, _, _ = check_tiff(path, "uint16")
        counts = np.bincount(numbers.ravel())[1:]
        assert list(counts) == [int(row["area_px"]) for row in table[name]]
        again = out.parent / f"again-{name}"
        sorby(program, "measure", path, "--instances", "--out", again, cwd=out.parent)
        for old, new in zip(table[name], rows(again / "particles.csv"), strict=True):
            wanted = ("area_px", "area_um2", "equivalent_diameter_area_nm", "perimeter_crofton_px")
            assert [old[column] for column in wanted] == [new[column] for column in wanted]
    print(f"numbers of objects as OME-TIFF, tifffile {tifffile.__version__} and ome-types: areas and pixel size are those of "
          "the table, and Sorby measures them again to the same digits")


def check_class_tiff(program, folder):
    """`segment --tiff`: the mask, its classes, their colours."""
    out = folder / "segmented"
    sorby(program, "segment", "run", "data/images", "--nm-per-px", NM, "--out", out, "--tiff", cwd=folder)
    path = sorted((out / "masks-tiff").iterdir())[0]
    png = Image.open(out / "masks" / f"{path.stem}.png")
    pixels, colours, ome = check_tiff(path, "uint8")
    assert (pixels == np.array(png)).all()
    said = {str(m.k): m.value for m in ome.structured_annotations[0].value.ms}
    palette = np.array(png.getpalette()).reshape(-1, 3)
    for index, name in enumerate(("matrix", "carbide")):
        assert said[f"class {index}"] == name
        assert (colours[:, index] == palette[index] * 257).all()
        assert said[f"colour of class {index}"] == "#" + "".join(f"{v:02x}" for v in palette[index])
    scale = json.loads(sorby(program, "--json", "scale", path, cwd=folder, codes=(0, 1)))
    assert json.dumps(NM) in json.dumps(scale), scale
    print(f"mask as OME-TIFF: {path.name} has the pixels, classes, colours and pixel size of its PNG; `sorby scale`: {NM} nm")


def check_parquet(out, table):
    read = pyarrow.parquet.read_table(out / "particles.parquet")
    flat = [row for name in table for row in table[name]]
    assert read.num_rows == len(flat)
    units = {field.name: field.metadata[b"unit"].decode() for field in read.schema if field.metadata}
    expected = {"area_px": "px^2", "area_um2": "um^2", "feret_angle_deg": "deg", "orientation_rad": "rad",
                "centroid_row_px": "px", "nearest_neighbour_gap_nm": "nm", "area_filled_px": "px^2"}
    assert expected.items() <= units.items() and not {"image", "particle", "solidity"} & units.keys(), units
    for column in read.schema.names:
        for value, row in zip(read[column].to_pylist(), flat, strict=True):
            text = row[column]
            if isinstance(value, float):
                decimals = len(text.partition(".")[2])
                assert abs(value - float(text)) <= 0.5000001 * 10.0**-decimals, (column, value, text)
            else:
                assert text == ("" if value is None else str(value)), (column, value, text)
    print(f"Parquet, pyarrow {pyarrow.__version__}: {read.num_rows} rows of {read.num_columns} columns are those of the CSV, "
          f"{len(units)} units in the schema")


def check_coco(program, folder):
    sorby(program, "data", "export", "data", "--format", "coco", "--out", "coco", cwd=folder)
    sorby(program, "measure", "data/labels", "--nm-per-px", NM, "--out", "labels", cwd=folder)
    table = rows(folder / "labels/particles.csv")
    coco = COCO(folder / "coco/annotations.json")
    names = {image["id"]: pathlib.Path(image["file_name"]).stem for image in coco.dataset["images"]}
    annotations = coco.loadAnns(coco.getAnnIds(iscrowd=False))
    assert len(annotations) == len(table) > 10
    ordered = sorted(annotations, key=lambda a: (names[a["image_id"]], a["id"]))
    for annotation, row in zip(ordered, table, strict=True):
        decoded = coco.annToMask(annotation)
        label = np.array(Image.open(folder / f"data/labels/{row['image']}.png"))
        left, top, right, bottom = box(row)
        assert names[annotation["image_id"]] == row["image"] and label[decoded == 1].all()
        assert decoded.sum() == rle.area(coco.annToRLE(annotation)) == annotation["area"] == int(row["area_px"])
        sides = [left, top, right - left, bottom - top]
        assert list(rle.toBbox(coco.annToRLE(annotation))) == annotation["bbox"] == sides
    print(f"COCO, pycocotools: {len(table)} objects decode to the areas and boxes of the table")


def check_package(path, tables, units):
    """Valid as it is, and not after a change; columns have their units."""
    report = Package(str(path)).validate()
    assert report.valid, report.flatten(["type", "note", "path"])
    package = json.loads(path.read_text())
    assert package["licenses"] == [{"name": "CC-BY-4.0"}]
    resources = {resource["path"]: resource for resource in package["resources"]}
    assert set(tables) <= set(resources), resources.keys()
    fields = {f["name"]: f.get("unit") for table in tables for f in resources[table]["schema"]["fields"]}
    assert units.items() <= fields.items(), fields
    changed = path.parent / tables[0]
    was = changed.read_bytes()
    changed.write_bytes(was.replace(b"yes", b"no ", 1) if b"yes" in was else was + b" ")
    assert not Package(str(path)).validate().valid, "a changed table was not noticed"
    changed.write_bytes(was)
    return len(resources)


def check_lot(program, folder):
    """A lot is a Data Package, and still what `sorby verify` takes for whole."""
    sorby(program, "synth", "--out", "new", "--images", "3", "--size", "120x96", "--seed", "9", cwd=folder)
    job = ["job", "new", "run/model.safetensors", "--out", "job.toml", "--nm-per-px", NM, "--fields", 3, "--class", "matrix"]
    sorby(program, *job, "--edges", "all", cwd=folder)
    lot = folder / "lot"
    run = ["run", "job.toml", "new/images", "--out", lot, "--licence", "CC-BY-4.0"]
    sorby(program, *run, cwd=folder, codes=(0, 1))
    sorby(program, "verify", lot, cwd=folder)
    assert "datapackage.json" in json.loads((lot / "manifest.json").read_text())["files"]
    units = {"area_um2": "um^2", "area_px": "px^2"}
    count = check_package(lot / "datapackage.json", ["measurements/matrix/particles.csv", "segmentation/trust.csv"], units)
    sorby(program, "verify", lot, cwd=folder)
    (lot / "datapackage.json").write_text("{}")
    assert "datapackage.json: was changed" in sorby(program, "verify", lot, cwd=folder, codes=(1,))
    print(f"Data Package of a lot, frictionless: {count} files valid, with licence, hashes and units; `sorby verify` holds")


def main(folder, program):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make_masks(folder / "masks")
    out = folder / "measured"
    exports = "parquet,roi,geojson,tiff,datapackage"
    measure = ["measure", "masks", "--nm-per-px", NM, "--export", exports, "--licence", "CC-BY-4.0", "--out", out]
    sorby(program, *measure, cwd=folder)
    table = {}
    for row in rows(out / "particles.csv"):
        table.setdefault(row["image"], []).append(row)
    assert sum(map(len, table.values())) > 50
    check_geojson(out, table)
    check_rois(out, table)
    check_object_tiffs(program, out, table)
    check_parquet(out, table)
    count = check_package(out / "datapackage.json", ["particles.csv", "images.csv"], {"area_um2": "um^2"})
    print(f"Data Package of a measurement, frictionless: {count} files valid")
    sorby(program, "synth", "--out", "data", "--images", "5", "--size", "160x128", "--seed", "3", cwd=folder)
    check_coco(program, folder)
    quick = ["schedule.iterations=20", "data.batch=2", "data.crop=64"]
    changes = [word for change in quick for word in ("--set", change)]
    sorby(program, "train", "coffee", "--data", "data", "--out", "run", *changes, cwd=folder)
    check_class_tiff(program, folder)
    check_lot(program, folder)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), str(pathlib.Path(sys.argv[2]).resolve()))
