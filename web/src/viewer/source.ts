/** What can be laid over an image: its label, masks of models, how sure these are, where they are wrong. */

import { getMap, predictionPath, type ImageInfo } from "../api";
import { IGNORE, MaskLayer, type Palette } from "./mask";

/** Values and names, `kind:model`. */
export function sources(models: string[], classes: string[]): [string, string][] {
  const list: [string, string][] = [["label", "label"]];
  for (const model of models) {
    list.push([`mask:${model}`, model], [`sure:${model}`, `confidence of ${model}`], [`errors:${model}`, `errors of ${model}`]);
    classes.forEach((c, i) => i > 0 && list.push([`p${i}:${model}`, `probability of ${c}, ${model}`]));
  }
  return list;
}

/** True, false and missed objects: the colours of the paper's overlays, told apart by colour-blind readers too. */
export const ERRORS = { hit: "#56b4e9", extra: "#d55e00", missed: "#f0e442" };

export async function layerOf(
  name: string,
  info: ImageInfo,
  source: string,
  label: Uint8Array,
  colours: Palette,
): Promise<MaskLayer> {
  const [kind, model] = [source.slice(0, source.indexOf(":")), source.slice(source.indexOf(":") + 1)];
  const path = predictionPath(name, model);
  const layer = (data: Uint8Array, table: Palette): MaskLayer => new MaskLayer(info.width, info.height, data, table);
  const amounts = (data: Uint8Array, table: Palette): MaskLayer => Object.assign(layer(data, table), { striped: false });
  if (kind === "sure") return amounts((await getMap(`${path}/confidence`)).data, heat());
  const klass = /^p(\d+)$/.exec(kind)?.[1];
  if (klass) return amounts((await getMap(`${path}/probability/${klass}`)).data, shade(colours, Number(klass)));
  const mask = (await getMap(`${path}/mask`)).data;
  return kind === "errors" ? layer(errors(mask, label), errorColours()) : layer(mask, colours);
}

/** 1 where mask and label have the same class beside the first, 2 where only the mask has one or another, 3 where only
 *  the label has. */
export function errors(mask: Uint8Array, label: Uint8Array): Uint8Array {
  return mask.map((m, i) => {
    const l = label[i];
    if (l === IGNORE) return IGNORE;
    if (m === l) return m === 0 ? 0 : 1;
    return m === 0 ? 3 : 2;
  });
}

function errorColours(): Palette {
  const table = new Uint8ClampedArray(1024);
  [ERRORS.hit, ERRORS.extra, ERRORS.missed].forEach((colour, i) => {
    const n = parseInt(colour.slice(1), 16);
    table.set([n >> 16, (n >> 8) & 255, n & 255, 255], (i + 1) * 4);
  });
  return table;
}

/** The colour of a class, the more of it the more probable. */
function shade(colours: Palette, index: number): Palette {
  const table = new Uint8ClampedArray(1024);
  const [r, g, b] = colours.subarray(index * 4, index * 4 + 3);
  for (let value = 0; value < 256; value++) table.set([r, g, b, value], value * 4);
  return table;
}

/** Sure is clear, unsure is red. */
function heat(): Palette {
  const table = new Uint8ClampedArray(1024);
  for (let value = 0; value < 256; value++) {
    // Below a half nobody is: two classes share the rest.
    const doubt = Math.min(1, (255 - value) / 128);
    table.set([213, Math.round(94 + 140 * (1 - doubt)), 0, Math.round(255 * Math.sqrt(doubt))], value * 4);
  }
  return table;
}
