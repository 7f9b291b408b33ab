/** The tables of the page of measurements. */

import type { ParticleObject } from "../api";
import { h, table } from "../dom";
import { imageLink } from "../links";
import { digits, mean } from "../numbers";
import { DIAMETER, objectsOf, unitOf, valueIn, type Measured, type MeasuredObject } from "./measured";
import { sortableTable, sorted, type Column, type Order } from "./sorting";

const MOST_ROWS = 200;

/** How the names of quantities end, and the unit that this means. */
const UNITS: [string, string][] = [
  ["_percent", "%"],
  ["_per_um2", "1/µm²"],
  ["_per_um", "1/µm"],
  ["_per_mpx", "1/megapixel"],
  ["_per_px", "1/px"],
  ["_nm", "nm"],
  ["_px", "px"],
];

/** A quantity as the server calls it (`number_density_per_um2`), in words and with its unit. */
export function quantityText(name: string): string {
  const found = UNITS.find(([ending]) => name.endsWith(ending));
  const words = (text: string): string => text.replaceAll("_", " ");
  return found ? `${words(name.slice(0, -found[0].length))}, ${found[1]}` : words(name);
}

/** What all images together say, with how sure it is. */
export function estimatesTable(measured: Measured): HTMLElement {
  return table(
    `All ${measured.images.length} fields together`,
    ["quantity", "value", "± 95 %"],
    measured.estimates.map((e) => [
      quantityText(e.quantity),
      digits(e.value, 4),
      e.ci95 === null ? "-" : digits(e.ci95, 2),
    ]),
  );
}

/** A row for each image. */
export function fieldsTable(measured: Measured): HTMLElement {
  const rows = measured.images.map((image) => [
    h("a", { href: imageLink(image.name) }, image.name),
    image.summary.count,
    digits(100 * image.summary.area_fraction),
    digits(mean(objectsOf(measured, image).map((o) => valueIn(DIAMETER, o)))),
    image.nm_per_px === null ? "-" : Number(image.nm_per_px.toPrecision(6)),
  ]);
  return table("Fields", ["image", "objects", "area %", `mean diameter ${unitOf(measured)}`, "nm/px"], rows);
}

/** The columns of the table of objects; lengths are in the unit of the page. */
function objectColumns(unit: string): Column<MeasuredObject>[] {
  const length = (head: string, inPixels: (o: ParticleObject) => number): Column<MeasuredObject> => {
    const value = ({ object, pixel }: MeasuredObject): number => inPixels(object) * pixel;
    return { head: `${head} ${unit}`, value, cell: (row) => digits(value(row), 4) };
  };
  const plain = (head: string, value: (o: ParticleObject) => number): Column<MeasuredObject> => ({
    head,
    value: (row) => value(row.object),
    cell: (row) => digits(value(row.object)),
  });
  return [
    { head: "image", value: ({ image }) => image.name, cell: objectLink },
    { head: "object", value: ({ object }) => object.id },
    length("diameter", (o) => o.diameter_px),
    length("Feret", (o) => o.feret_max_px),
    plain("circularity", (o) => o.circularity),
    plain("aspect ratio", (o) => o.aspect_ratio),
    { head: "at edge", value: ({ object }) => object.at_edge, cell: ({ object }) => (object.at_edge ? "yes" : "") },
  ];
}

function objectLink({ image, object }: MeasuredObject): HTMLElement {
  const [left, top, right, bottom] = object.box;
  return h("a", { href: imageLink(image.name, [left, top, right - left, bottom - top]) }, image.name);
}

/** A row for each object, in the order that is chosen; of very many only the first. */
export function objectsTable(
  objects: MeasuredObject[],
  unit: string,
  order: Order | null,
  chosen: (order: Order) => void,
): HTMLElement {
  const caption = objects.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${objects.length} objects` : "Objects";
  const columns = objectColumns(unit);
  return sortableTable(caption, columns, sorted(objects, columns, order).slice(0, MOST_ROWS), order, chosen);
}
