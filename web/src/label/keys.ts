/** The keyboard: keys of the tools, and a cursor that arrows move for those who use no pointer. */

import { toastWithButton } from "../messages";
import type { Editor } from "./editor";
import { TOOLS } from "./tools";

const STEP_PX = 8;
const LONG_STEP_PX = 80;

/** Does what a key stands for; gives whether it stands for anything. */
export function pressToolKey(editor: Editor, event: KeyboardEvent): boolean {
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (control && key === "z") event.shiftKey ? editor.redo() : editor.undo();
  else if (control && key === "y") editor.redo();
  else if (control || event.altKey) return false;
  else if (key === "[") editor.setRadius(editor.radius / 1.25);
  else if (key === "]") editor.setRadius(editor.radius * 1.25 + 0.5);
  else if (key === "+" || key === "=") editor.view.zoomBy(1.4);
  else if (key === "-") editor.view.zoomBy(1 / 1.4);
  else if (key === "backspace" && editor.corners.length) editor.dropCorner();
  else if (key === "enter" && editor.corners.length) editor.closePolygon();
  else if (key === "enter" || key === " ") applyAtCursor(editor);
  else if (key === "escape") escape(editor);
  else if (key.startsWith("arrow")) moveCursor(editor, key, event.shiftKey);
  else return chooseTool(editor, key);
  return true;
}

function chooseTool(editor: Editor, key: string): boolean {
  const found = TOOLS.find((info) => info.key === key);
  if (found) editor.setTool(found.tool);
  return found !== undefined;
}

/** Leaves the tool; an open polygon is given up first. */
function escape(editor: Editor): void {
  const { corners } = editor;
  if (!corners.length) return editor.setTool("look");
  editor.corners = [];
  editor.view.draw();
  if (corners.length < 3) return;
  toastWithButton(`A polygon of ${corners.length} corners was given up.`, "Bring it back", () => {
    editor.corners = corners;
    editor.view.draw();
  });
}

function applyAtCursor(editor: Editor): void {
  if (editor.tool === "look") return editor.clicked(editor.cursor);
  editor.begin({ ...editor.cursor }, false);
  editor.end();
}

/** Moves the cursor, and the image too where the cursor would leave the window. */
function moveCursor(editor: Editor, key: string, far: boolean): void {
  const { cursor, view } = editor;
  const { width, height } = view.info;
  const by = (far ? LONG_STEP_PX : STEP_PX) / (view.transform()?.zoom ?? 1);
  if (key === "arrowleft") cursor.x -= by;
  if (key === "arrowright") cursor.x += by;
  if (key === "arrowup") cursor.y -= by;
  if (key === "arrowdown") cursor.y += by;
  cursor.x = Math.min(width - 0.5, Math.max(0.5, cursor.x));
  cursor.y = Math.min(height - 0.5, Math.max(0.5, cursor.y));
  const seen = view.visibleBox();
  const { x, y } = cursor;
  if (x < seen.left || x > seen.right || y < seen.top || y > seen.bottom) {
    const [halfWidth, halfHeight] = [(seen.right - seen.left) / 2, (seen.bottom - seen.top) / 2];
    view.show({ left: x - halfWidth, right: x + halfWidth, top: y - halfHeight, bottom: y + halfHeight });
  }
  view.draw();
}
