/** Changes of a map of one byte a pixel. Each of them gives the box in which pixels may have changed. */

import type { Part, Span } from "../api";
import type { Box } from "../viewer/mask";
import type { Point } from "../viewer/view";

export interface Map2d {
  data: Uint8Array;
  width: number;
  height: number;
}

/** Says whether a pixel, by its index in the data, may be painted. */
export type Allowed = (index: number) => boolean;

/** A box without a pixel. */
export const NOTHING: Box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };

/** The smallest box that holds both. */
export function joined(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** Draws a straight line with a round brush. */
export function line(map: Map2d, a: Point, b: Point, radius: number, value: number, allowed?: Allowed): Box {
  const reach = Math.max(0.5, radius);
  const box: Box = {
    left: Math.max(0, Math.floor(Math.min(a.x, b.x) - reach)),
    top: Math.max(0, Math.floor(Math.min(a.y, b.y) - reach)),
    right: Math.min(map.width, Math.ceil(Math.max(a.x, b.x) + reach) + 1),
    bottom: Math.min(map.height, Math.ceil(Math.max(a.y, b.y) + reach) + 1),
  };
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length2 = dx * dx + dy * dy;
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const [px, py] = [x + 0.5 - a.x, y + 0.5 - a.y];
      const t = length2 ? Math.max(0, Math.min(1, (px * dx + py * dy) / length2)) : 0;
      const [ex, ey] = [px - t * dx, py - t * dy];
      const index = y * map.width + x;
      if (ex * ex + ey * ey <= reach * reach && (!allowed || allowed(index))) map.data[index] = value;
    }
  }
  return box;
}

/** Fills a polygon: the pixels whose centres lie in it. */
export function polygon(map: Map2d, corners: Point[], value: number): Box {
  const ys = corners.map((p) => p.y);
  const xs = corners.map((p) => p.x);
  const box: Box = {
    left: Math.max(0, Math.floor(Math.min(...xs))),
    top: Math.max(0, Math.floor(Math.min(...ys))),
    right: Math.min(map.width, Math.ceil(Math.max(...xs)) + 1),
    bottom: Math.min(map.height, Math.ceil(Math.max(...ys)) + 1),
  };
  for (let y = box.top; y < box.bottom; y++) {
    const crossings: number[] = [];
    corners.forEach((p, i) => {
      const q = corners[(i + 1) % corners.length];
      if (p.y <= y + 0.5 !== q.y <= y + 0.5) crossings.push(p.x + ((y + 0.5 - p.y) / (q.y - p.y)) * (q.x - p.x));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const start = Math.max(0, Math.ceil(crossings[i] - 0.5));
      const end = Math.min(map.width, Math.ceil(crossings[i + 1] - 0.5));
      if (start < end) map.data.fill(value, y * map.width + start, y * map.width + end);
    }
  }
  return box;
}

/** Gives rows of pixels a value. */
export function spans(map: Map2d, rows: Span[], value: number): Box {
  let box = NOTHING;
  for (const [y, start, end] of rows) {
    map.data.fill(value, y * map.width + start, y * map.width + end);
    box = joined(box, { left: start, right: end, top: y, bottom: y + 1 });
  }
  return box;
}

/** The pixels of a part of a map, row after row. */
export function cut(map: Map2d, part: Part): Uint8Array {
  const data = new Uint8Array(part.width * part.height);
  for (let row = 0; row < part.height; row++) {
    const start = (part.y + row) * map.width + part.x;
    data.set(map.data.subarray(start, start + part.width), row * part.width);
  }
  return data;
}

/** Puts pixels, row after row, into a part of a map. */
export function paste(map: Map2d, part: Part, data: Uint8Array): Box {
  for (let row = 0; row < part.height; row++) {
    const pixels = data.subarray(row * part.width, (row + 1) * part.width);
    map.data.set(pixels, (part.y + row) * map.width + part.x);
  }
  return { left: part.x, top: part.y, right: part.x + part.width, bottom: part.y + part.height };
}

/** The pixels connected with a place (by an edge or a corner) that have its value, as rows. */
export function region(map: Map2d, at: Point): Span[] {
  const { data, width, height } = map;
  const [x0, y0] = [Math.floor(at.x), Math.floor(at.y)];
  const value = data[y0 * width + x0];
  const seen = new Uint8Array(data.length);
  const found: Span[] = [];
  const open: number[] = [y0 * width + x0];
  while (open.length) {
    const index = open.pop()!;
    if (seen[index]) continue;
    const y = Math.floor(index / width);
    let start = index;
    while (start > y * width && data[start - 1] === value && !seen[start - 1]) start--;
    let end = index + 1;
    while (end < (y + 1) * width && data[end] === value && !seen[end]) end++;
    seen.fill(1, start, end);
    found.push([y, start - y * width, end - y * width]);
    for (const row of [y - 1, y + 1]) {
      if (row < 0 || row >= height) continue;
      const from = Math.max(row * width, start - 1 + (row - y) * width);
      const to = Math.min((row + 1) * width, end + 1 + (row - y) * width);
      for (let i = from; i < to; i++) if (data[i] === value && !seen[i]) open.push(i);
    }
  }
  return found;
}
