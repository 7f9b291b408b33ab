/** A scale bar in real units that follows the zoom. */

import type { Transform } from "./mask";

/** The longest bar of at most `most_px` whose length is 1, 2 or 5 times a power of ten: in pixels, and as a text. */
export function scaleBar(most_px: number, nmPerPx: number | null): { length_px: number; text: string } {
  const most = nmPerPx === null ? most_px : most_px * nmPerPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  if (nmPerPx === null) return { length_px: length, text: `${length} px` };
  return { length_px: length / nmPerPx, text: lengthText(length) };
}

function lengthText(nm: number): string {
  if (nm >= 1e6) return `${nm / 1e6} mm`;
  return nm >= 1000 ? `${nm / 1000} µm` : `${Number(nm.toPrecision(2))} nm`;
}

interface Scaled {
  nm_per_px: number | null;
  scale_problem: string | null;
}

interface Sized extends Scaled {
  width: number;
  height: number;
}

/** The size of a pixel in words; none if the sources of it contradict each other. */
export function scaleText(image: Scaled): string {
  if (image.scale_problem !== null) return "pixel size refused";
  return image.nm_per_px === null ? "no scale" : `${Number(image.nm_per_px.toPrecision(6))} nm/px`;
}

/** Width, height and the size of a pixel. */
export function sizeText(image: Sized): string {
  return `${image.width} × ${image.height} · ${scaleText(image)}`;
}

export function drawScaleBar(context: CanvasRenderingContext2D, at: Transform, nmPerPx: number | null): void {
  const { length_px, text } = scaleBar(170 / at.zoom, nmPerPx);
  const length = length_px * at.zoom;
  const [x, y] = [16, context.canvas.height - 22];
  context.save();
  context.font = "600 13px system-ui, sans-serif";
  const wide = Math.max(length, context.measureText(text).width) + 16;
  context.fillStyle = "rgba(0, 0, 0, 0.62)";
  context.fillRect(x - 8, y - 20, wide, 34);
  context.fillStyle = "#ffffff";
  context.fillText(text, x, y - 5);
  context.fillRect(x, y + 2, length, 4);
  context.restore();
}
