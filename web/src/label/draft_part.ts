/** Which part of a large image is drafted, and when another part would be better. */

import type { Part } from "../api";
import type { Box } from "../viewer/mask";
import type { Point } from "../viewer/view";

/** The server drafts at most so many pixels at once (`DRAFT_PX`). */
export const DRAFT_PX = 16_000_000;
/** The part is at least so wide and high, however far the view is zoomed in: strokes nearby teach too. */
const LEAST_SIDE_PX = 2000;

const middle = (box: Box): Point => ({ x: (box.left + box.right) / 2, y: (box.top + box.bottom) / 2 });

/** What is seen, as far as it can be drafted: about the middle of the view, inside the image. */
export function draftPart(seen: Box, width: number, height: number): Part {
  if (width * height <= DRAFT_PX) return { x: 0, y: 0, width, height };
  const wide = Math.max(seen.right - seen.left, Math.min(width, LEAST_SIDE_PX));
  const high = Math.max(seen.bottom - seen.top, Math.min(height, LEAST_SIDE_PX));
  const shrink = Math.min(1, Math.sqrt(DRAFT_PX / (wide * high)));
  // A strip keeps its short side.
  const [wideLeast, highLeast] = [Math.min(wide, LEAST_SIDE_PX), Math.min(high, LEAST_SIDE_PX)];
  const partWide = Math.floor(Math.min(Math.max(wide * shrink, wideLeast), DRAFT_PX / highLeast));
  const partHigh = Math.floor(Math.min(Math.max(high * shrink, highLeast), DRAFT_PX / partWide));
  const { x, y } = middle(seen);
  const inside = (start: number, most: number): number => Math.round(Math.max(0, Math.min(most, start)));
  const [left, top] = [inside(x - partWide / 2, width - partWide), inside(y - partHigh / 2, height - partHigh)];
  return { x: left, y: top, width: partWide, height: partHigh };
}

/** Whether the middle of the view has left the part. */
export function isFar(part: Part, seen: Box): boolean {
  const { x, y } = middle(seen);
  return x < part.x || y < part.y || x > part.x + part.width || y > part.y + part.height;
}

/** Whether nothing of a box lies in the part. */
export function isOutside(part: Part, box: Box): boolean {
  const { x, y, width, height } = part;
  return box.right <= x || box.bottom <= y || box.left >= x + width || box.top >= y + height;
}
