/** What can be laid over an image: its label, and of each model the mask, its confidence, errors and probabilities. */

import { getMap, predictionPath, versionPath, type ImageInfo } from "../api";
import { emptyPalette, IGNORE, MaskLayer, rgb, type Palette } from "./mask";

/** What there is to choose from, each as `kind:model` and as a name. */
export function sources(models: string[], classes: string[]): [string, string][] {
  const list: [string, string][] = [["label", "label"]];
  for (const model of models) {
    list.push(
      [`mask:${model}`, model],
      [`sure:${model}`, `confidence of ${model}`],
      [`errors:${model}`, `errors of ${model}`],
    );
    classes.forEach((c, i) => i > 0 && list.push([`p${i}:${model}`, `probability of ${c}, ${model}`]));
  }
  return list;
}

/** Colours of right, wrong and missed pixels, as in the paper; colour-blind people can tell them apart too. */
export const ERRORS = { hit: "#56b4e9", extra: "#d55e00", missed: "#f0e442" };

/** Loads what `source` (`kind:model`, or `version:id`) names. */
export async function layerOf(
  name: string,
  info: ImageInfo,
  source: string,
  label: Uint8Array,
  colours: Palette,
): Promise<MaskLayer> {
  const colon = source.indexOf(":");
  const [kind, model] = [source.slice(0, colon), source.slice(colon + 1)];
  const path = predictionPath(name, model);
  const layer = (data: Uint8Array, table: Palette): MaskLayer => new MaskLayer(info.width, info.height, data, table);
  const amounts = (data: Uint8Array, table: Palette): MaskLayer => {
    return Object.assign(layer(data, table), { striped: false });
  };
  if (kind === "version") return layer((await getMap(versionPath(name, model))).data, colours);
  if (kind === "sure") return amounts((await getMap(`${path}/confidence`)).data, doubtColours());
  const index = /^p(\d+)$/.exec(kind)?.[1];
  if (index) return amounts((await getMap(`${path}/probability/${index}`)).data, shades(colours, Number(index)));
  const mask = (await getMap(`${path}/mask`)).data;
  return kind === "errors" ? layer(errors(mask, label), errorColours()) : layer(mask, colours);
}

/** 0 where mask and label are both background, 1 where they have the same class of objects, 2 where the mask has a
 *  wrong object, 3 where the mask misses one. */
export function errors(mask: Uint8Array, label: Uint8Array): Uint8Array {
  return mask.map((m, i) => {
    const l = label[i];
    if (l === IGNORE) return IGNORE;
    if (m === l) return m === 0 ? 0 : 1;
    return m === 0 ? 3 : 2;
  });
}

function errorColours(): Palette {
  const table = emptyPalette();
  [ERRORS.hit, ERRORS.extra, ERRORS.missed].forEach((colour, i) => table.set([...rgb(colour), 255], (i + 1) * 4));
  return table;
}

/** The colour of a class, more opaque where the class is more probable. */
function shades(colours: Palette, index: number): Palette {
  const table = emptyPalette();
  const [r, g, b] = colours.subarray(index * 4, index * 4 + 3);
  for (let value = 0; value < 256; value++) table.set([r, g, b, value], value * 4);
  return table;
}

/** Where the model is sure: clear. Where it is not: yellow, then red. */
function doubtColours(): Palette {
  const table = emptyPalette();
  for (let value = 0; value < 256; value++) {
    // With two classes the more probable one has a half at least, so a half is the greatest doubt.
    const doubt = Math.min(1, (255 - value) / 128);
    table.set([213, Math.round(94 + 140 * (1 - doubt)), 0, Math.round(255 * Math.sqrt(doubt))], value * 4);
  }
  return table;
}
