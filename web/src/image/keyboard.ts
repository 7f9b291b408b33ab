/** The keys of the page of an image. */

import type { Editor } from "../label/editor";
import { pressToolKey } from "../label/keys";
import { isDialogOpen } from "../dialog";
import { IGNORE } from "../viewer/mask";
import type { ClassList } from "./class_list";
import type { DraftPanel } from "./draft_panel";
import { showKeys } from "./key_list";
import type { OpenImage } from "./open_image";
import type { Prediction } from "./prediction";

/** What keys can act on. */
export interface KeyTargets {
  image: OpenImage;
  editor: Editor;
  classes: ClassList;
  drafts: DraftPanel;
  prediction: Prediction;
}

/** Whether the element that has the focus needs the key itself. */
export function belongsToElement(event: KeyboardEvent): boolean {
  if (isDialogOpen()) return true;
  const { tagName, type } = event.target as HTMLInputElement;
  // Letters mean nothing to a slider or a check box.
  if (tagName === "INPUT" && type === "range") return /^(Arrow|Page|Home|End)/.test(event.key);
  if (tagName === "INPUT" && type === "checkbox") return event.key === " ";
  if (["INPUT", "SELECT", "TEXTAREA"].includes(tagName)) return true;
  if (tagName === "BUTTON" || tagName === "SUMMARY") return event.key === "Enter" || event.key === " ";
  return tagName === "A" && event.key === "Enter";
}

/** Does what a key stands for; gives whether it stands for anything. */
export function pressKey(event: KeyboardEvent, to: KeyTargets): boolean {
  const alone = !event.ctrlKey && !event.metaKey && !event.altKey;
  return (alone && pressLetter(event.key, to)) || pressToolKey(to.editor, event);
}

function pressLetter(key: string, { image, editor, classes, drafts, prediction }: KeyTargets): boolean {
  if (/^[1-9]$/.test(key) && classes.has(Number(key) - 1)) classes.pick(Number(key) - 1);
  else if (key === "0") classes.pick(IGNORE);
  else if (key === "D" && editor.draft) void drafts.use();
  else if (key === "d") drafts.toggle();
  else if (editor.draft?.ready && (key === "a" || (key === "Enter" && !editor.corners.length))) void drafts.use();
  else if (key === "a" && !editor.draft) void prediction.accept();
  else if (key === "h") image.hideLayers(true);
  else if (key === "?") showKeys();
  else if (key === "n") location.hash = image.neighbour(1);
  else if (key === "N") location.hash = image.neighbour(-1);
  else return false;
  return true;
}
