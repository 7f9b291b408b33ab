/** The list of all keys of the page of an image. */

import { tell } from "../dialog";
import { h } from "../dom";
import { TOOLS } from "../label/tools";

const KEYS: [string, string][] = [
  ["1 to 9", "class"],
  ["0", "ignore: no label"],
  ["[ ] or Shift+wheel", "size of the brush"],
  ["Ctrl+Z, Ctrl+Y", "undo, redo; of the strokes while a draft is open"],
  ["Enter", "close the polygon; use the draft; the tool at the cursor"],
  ["Space", "the tool at the cursor"],
  ["Backspace", "take the last corner of the polygon away"],
  ["arrows, Shift+arrows", "move the cursor"],
  ["D", "open or close the draft"],
  ["A", "the draft, or the prediction shown, becomes the label"],
  ["N, Shift+N", "next, previous image"],
  ["H (hold)", "hide the mask"],
  ["+ - or wheel", "zoom"],
  ["right or middle button, two fingers", "move the image"],
  ["Escape", "give the polygon up; back to looking"],
  ["?", "this list"],
];

export function showKeys(): void {
  const tools = TOOLS.map(({ key, title, help }): [string, string] => [key.toUpperCase(), `${title}: ${help}`]);
  const rows = [...tools, ...KEYS].map(([key, does]) => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, does)));
  tell("Keys", h("table", { class: "keys" }, h("tbody", {}, ...rows)));
}
