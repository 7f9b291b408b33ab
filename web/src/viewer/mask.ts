/** A map of one byte a pixel, drawn in colours over an image of any size, at any zoom. */

import type { ClassInfo } from "../api";

/** The value of a pixel without a label. */
export const IGNORE = 255;
/** A layer is drawn in squares of this side, and only those that are seen. */
const CHUNK = 512;
/** So many are kept. */
const MOST_CHUNKS = 400;

/** A rectangle of pixels; `right` and `bottom` are the first ones outside. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** How an image lies on the screen: the place of a pixel is `x + zoom * column` and `y + zoom * row`. */
export interface Transform {
  zoom: number;
  x: number;
  y: number;
}

/** Red, green, blue, alpha of each value. */
export type Palette = Uint8ClampedArray;

export const emptyPalette = (): Palette => new Uint8ClampedArray(256 * 4);

/** Red, green and blue of `#rrggbb`. */
export function rgb(colour: string): [number, number, number] {
  const n = parseInt(colour.slice(1), 16);
  return [(n >> 16) & 255, (n >> 8) & 255, n & 255];
}

/** The colours of a map of classes. */
export function classPalette(classes: ClassInfo[], showFirst: boolean): Palette {
  const table = emptyPalette();
  classes.forEach(({ color }, i) => table.set([...rgb(color), i === 0 && !showFirst ? 0 : 255], i * 4));
  // Pixels without a label are striped; `paint` does that.
  table.set([128, 128, 128, 110], IGNORE * 4);
  return table;
}

/** A square of the layer, painted at one level of detail. */
interface Chunk {
  canvas: OffscreenCanvas;
  context: OffscreenCanvasRenderingContext2D;
  image: ImageData;
}

/** Draws a map. The data belong to others too: who changes them calls `changed`. */
export class MaskLayer {
  private chunks = new Map<string, Chunk>();
  visible = true;
  opacity = 0.5;
  /** Whether 255 means "no label" and is striped; in a map of probabilities it is a value like the others. */
  striped = true;
  /** Whether only the edges of areas of one value are drawn. */
  outlineOnly = false;
  /** A value that is hatched with white, so that it is seen on any image. */
  hatched: number | null = null;

  constructor(
    readonly width: number,
    readonly height: number,
    public data: Uint8Array,
    private colours: Palette,
  ) {}

  /** Takes other colours. */
  recolour(colours: Palette): void {
    this.colours = colours;
    this.chunks.clear();
  }

  /** Draws areas, or only their edges. */
  setOutlineOnly(on: boolean): void {
    if (this.outlineOnly === on) return;
    this.outlineOnly = on;
    this.chunks.clear();
  }

  /** Takes another map. */
  replace(data: Uint8Array): void {
    this.data = data;
    this.chunks.clear();
  }

  /** Level of detail at a zoom: 0 has all pixels, each further level every second one of the level before. */
  static level(zoom: number): number {
    return Math.max(0, Math.floor(Math.log2(1 / zoom)));
  }

  /** The map has changed in a box: paints that again, in the squares that were painted before. */
  changed(box: Box): void {
    for (const [key, chunk] of this.chunks) {
      const [level, cx, cy] = key.split(",").map(Number);
      const size = CHUNK << level;
      const inside: Box = {
        // One more all round: an edge depends on the pixels next to it.
        left: Math.max(0, ((box.left - cx * size) >> level) - 1),
        top: Math.max(0, ((box.top - cy * size) >> level) - 1),
        right: Math.min(chunk.canvas.width, ((box.right - cx * size) >> level) + 2),
        bottom: Math.min(chunk.canvas.height, ((box.bottom - cy * size) >> level) + 2),
      };
      if (inside.left < inside.right && inside.top < inside.bottom) this.paint(chunk, level, cx, cy, inside);
    }
  }

  /** Draws the part that is seen, at most inside of `clip` (on the screen). */
  draw(context: CanvasRenderingContext2D, at: Transform, clip?: Box): void {
    if (!this.visible || this.opacity === 0) return;
    const level = MaskLayer.level(at.zoom);
    const size = CHUNK << level;
    const { width, height } = context.canvas;
    const first = (offset: number): number => Math.max(0, Math.floor(-offset / at.zoom / size));
    const last = (offset: number, screen: number, pixels: number): number =>
      Math.min(Math.ceil(pixels / size), Math.ceil((screen - offset) / at.zoom / size));
    context.save();
    if (clip) {
      context.beginPath();
      context.rect(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top);
      context.clip();
    }
    context.globalAlpha = this.opacity;
    context.imageSmoothingEnabled = false;
    for (let cy = first(at.y); cy < last(at.y, height, this.height); cy++) {
      for (let cx = first(at.x); cx < last(at.x, width, this.width); cx++) {
        const chunk = this.chunk(level, cx, cy);
        const step = at.zoom * (1 << level);
        context.drawImage(
          chunk.canvas,
          at.x + cx * size * at.zoom,
          at.y + cy * size * at.zoom,
          chunk.canvas.width * step,
          chunk.canvas.height * step,
        );
      }
    }
    context.restore();
  }

  /** A square of the layer; painted now if it was not painted before. */
  private chunk(level: number, cx: number, cy: number): Chunk {
    const key = `${level},${cx},${cy}`;
    const known = this.chunks.get(key);
    if (known) return known;
    if (this.chunks.size > MOST_CHUNKS) this.chunks.clear();
    const size = CHUNK << level;
    const part = (start: number, end: number): number => Math.ceil(Math.min(size, end - start) / (1 << level));
    const canvas = new OffscreenCanvas(part(cx * size, this.width), part(cy * size, this.height));
    const context = canvas.getContext("2d")!;
    const image = context.createImageData(canvas.width, canvas.height);
    const chunk = { canvas, context, image };
    this.chunks.set(key, chunk);
    this.paint(chunk, level, cx, cy, { left: 0, top: 0, right: canvas.width, bottom: canvas.height });
    return chunk;
  }

  /** Whether a pixel, by its index in the data, has another value next to it, `1 << level` pixels away. */
  private isEdge(index: number, level: number): boolean {
    const { data, width } = this;
    const step = 1 << level;
    const x = index % width;
    const differs = (other: number): boolean => other >= 0 && other < data.length && data[other] !== data[index];
    return (
      (x >= step && differs(index - step)) ||
      (x + step < width && differs(index + step)) ||
      differs(index - step * width) ||
      differs(index + step * width)
    );
  }

  /** Paints a box of a square. */
  private paint(chunk: Chunk, level: number, cx: number, cy: number, box: Box): void {
    const pixels = new Uint32Array(chunk.image.data.buffer);
    const colours = new Uint32Array(this.colours.buffer);
    const size = CHUNK << level;
    for (let y = box.top; y < box.bottom; y++) {
      const row = Math.min(this.height - 1, cy * size + (y << level)) * this.width;
      for (let x = box.left; x < box.right; x++) {
        const index = row + Math.min(this.width - 1, cx * size + (x << level));
        const value = this.data[index];
        const blank =
          (this.striped && value === IGNORE && ((x + y) & 7) > 1) || (this.outlineOnly && !this.isEdge(index, level));
        const white = value === this.hatched && ((x + y) & 7) < 3;
        pixels[y * chunk.canvas.width + x] = blank ? 0 : white ? 0xffffffff : colours[value];
      }
    }
    const { left, top, right, bottom } = box;
    chunk.context.putImageData(chunk.image, 0, 0, left, top, right - left, bottom - top);
  }
}
