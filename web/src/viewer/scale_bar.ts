/** A scale bar in real units that follows the zoom. */

import type { Transform } from "./mask";

/** Length in the image's units and its text: the longest of 1, 2, 5 x 10^n that fits. */
export function scaleBar(most_px: number, nmPerPx: number | null): { length_px: number; text: string } {
  const most = nmPerPx === null ? most_px : most_px * nmPerPx;
  const power = 10 ** Math.floor(Math.log10(most));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  if (nmPerPx === null) return { length_px: length, text: `${length} px` };
  const text =
    length >= 1e6 ? `${length / 1e6} mm` : length >= 1000 ? `${length / 1000} µm` : `${Number(length.toPrecision(2))} nm`;
  return { length_px: length / nmPerPx, text };
}

/** The pixel size in words; of an image whose statements contradict each other none is shown. */
export function scaleText(image: { nm_per_px: number | null; scale_problem: string | null }): string {
  if (image.scale_problem !== null) return "pixel size refused";
  return image.nm_per_px === null ? "no scale" : `${Number(image.nm_per_px.toPrecision(6))} nm/px`;
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
