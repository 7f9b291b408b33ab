/** A pixel size that the user states: a number with a unit, sent to the server, which refuses what a file contradicts. */

import { post } from "./api";
import { h, sameOptions } from "./dom";
import { toast, toastError } from "./messages";
import { counted, digits } from "./numbers";

/** Units, and the number of nm per pixel that a value in them means. */
const UNITS: Record<string, (value: number) => number> = {
  "nm/px": (value) => value,
  "µm/px": (value) => 1000 * value,
  "px/µm": (value) => 1000 / value,
};

/** Nm per pixel of a typed number; null if it is none. */
export function nmPerPx(text: string, unit: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  const nm = UNITS[unit](value);
  return text.trim() !== "" && Number.isFinite(nm) && value > 0 && Number.isFinite(value) ? nm : null;
}

/** States the pixel size of these images, or of all of them; null takes a statement back. Gives whether it was taken. */
export async function statePixelSize(nm_per_px: number | null, images?: string[]): Promise<boolean> {
  try {
    await post("/scale", { nm_per_px, ...(images && { images }) });
    const of = images ? counted(images.length, "image") : "all images";
    toast(nm_per_px === null ? `No pixel size is stated for ${of} now` : `${digits(nm_per_px, 6)} nm/px for ${of}`);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** A field for a number and a list of units. */
export class PixelSizeField {
  private value = h("input", { type: "text", inputmode: "decimal", size: 8, "aria-label": "Pixel size" });
  private unit = h("select", { "aria-label": "Unit of the pixel size" });
  readonly element = h("span", { class: "pixel-size" }, this.value, this.unit);

  constructor() {
    for (const [value, text] of sameOptions(Object.keys(UNITS))) this.unit.append(h("option", { value }, text));
  }

  /** What is typed, in nm per pixel; null if it is no size. */
  get nmPerPx(): number | null {
    return nmPerPx(this.value.value, this.unit.value);
  }
}
