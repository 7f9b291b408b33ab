/** The tables of the page of measurements. */

import { h, table } from "../dom";
import { imageLink } from "../links";
import { digits, mean } from "../numbers";
import { DIAMETER, objectsOf, unitOf, valueIn, type Measured, type MeasuredObject } from "./measured";

const MOST_ROWS = 200;

/** What all images together say, with how sure it is. */
export function estimatesTable(measured: Measured): HTMLElement {
  return table(
    `The lot: ${measured.images.length} fields together`,
    ["quantity", "value", "± 95 %"],
    measured.estimates.map((e) => [
      e.quantity.replaceAll("_", " "),
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

/** A row for each object; of very many only the first. */
export function objectsTable(objects: MeasuredObject[], unit: string): HTMLElement {
  return table(
    objects.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${objects.length} objects` : "Objects",
    ["image", "object", `diameter ${unit}`, `Feret ${unit}`, "circularity", "aspect ratio", "at edge"],
    objects.slice(0, MOST_ROWS).map(({ image, object, pixel }) => {
      const [left, top, right, bottom] = object.box;
      return [
        h("a", { href: imageLink(image.name, [left, top, right - left, bottom - top]) }, image.name),
        object.id,
        digits(object.diameter_px * pixel, 4),
        digits(object.feret_max_px * pixel, 4),
        digits(object.circularity),
        digits(object.aspect_ratio),
        object.at_edge ? "yes" : "",
      ];
    }),
  );
}
