/** What is drawn above the image while a tool is used: the open polygon and the cursor. */

import type { Mark } from "../viewer/view";
import type { Editor } from "./editor";
import { usesRadius } from "./tools";

/** The polygon that is not closed yet. */
export function polygonMark(editor: Editor): Mark {
  return (context, at) => {
    if (!editor.corners.length) return;
    context.strokeStyle = "#ffffff";
    context.lineWidth = 2;
    context.beginPath();
    editor.corners.forEach((p) => context.lineTo(at.x + p.x * at.zoom, at.y + p.y * at.zoom));
    context.stroke();
  };
}

/** A ring of the size of the brush: white on a black edge, so that it is seen on any image. */
export function cursorMark(editor: Editor): Mark {
  return (context, at) => {
    if (editor.tool === "look") return;
    const ringPx = usesRadius(editor.tool) ? Math.max(0.5, editor.radius) * at.zoom : 7;
    for (const [colour, width] of [["#000000", 3], ["#ffffff", 1.2]] as const) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.arc(at.x + editor.cursor.x * at.zoom, at.y + editor.cursor.y * at.zoom, ringPx, 0, 7);
      context.stroke();
    }
  };
}
