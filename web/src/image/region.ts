/** A region in the address of the page: the image opens there, and the region is framed. */

import type { ImageView } from "../viewer/view";

/** Left, top, width, height in pixels: `#/image/NAME/LEFT,TOP,WIDTH,HEIGHT`. */
function regionOfAddress(): number[] | null {
  const region = location.hash.split("/")[3]?.split(",").map(Number);
  return region?.length === 4 && region.every((n) => Number.isFinite(n)) ? region : null;
}

/** Gives whether the address names a region. */
export function showRegion(view: ImageView): boolean {
  const region = regionOfAddress();
  if (!region) return false;
  const [left, top, width, height] = region;
  view.show({
    left: left - width / 2,
    top: top - height / 2,
    right: left + 1.5 * width,
    bottom: top + 1.5 * height,
  });
  view.marks.push((context, at) => {
    context.strokeStyle = "#f0e442";
    context.lineWidth = 2;
    context.strokeRect(at.x + left * at.zoom, at.y + top * at.zoom, width * at.zoom, height * at.zoom);
  });
  return true;
}
