/** The objects as a table in a file. */

import { h } from "../dom";
import type { MeasuredObject } from "./measured";

const HEAD =
  "image,object,x_px,y_px,area_px,equivalent_diameter_px,feret_max_px,feret_min_px,circularity,aspect_ratio,solidity," +
  "at_edge,nm_per_px";

/** A field of a table; in quotation marks if it holds a character that means something there. */
const field = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function objectsAsCsv(objects: MeasuredObject[]): string {
  const lines = objects.map(({ image, object: o }) =>
    [
      field(image.name),
      o.id,
      o.x,
      o.y,
      o.area_px,
      o.diameter_px,
      o.feret_max_px,
      o.feret_min_px,
      o.circularity,
      o.aspect_ratio,
      o.solidity,
      o.at_edge,
      image.nm_per_px ?? "",
    ].join(","),
  );
  return [HEAD, ...lines].join("\n") + "\n";
}

/** Lets the browser save a table as a file. */
export function saveCsv(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  h("a", { href: address, download: name }).click();
}
