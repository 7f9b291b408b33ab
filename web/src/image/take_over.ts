/** Something that a program made takes the place of the label. Work by hand is not replaced without a question, and what
 *  was there is saved first, so that the server keeps it as a version. */

import type { By, Part } from "../api";
import { ask } from "../dialog";
import type { Editor } from "../label/editor";
import type { Saver } from "../label/save";
import { toast } from "../messages";
import { digits } from "../numbers";
import { IGNORE } from "../viewer/mask";
import { cut } from "../label/paint";

export interface Offer {
  /** As it is called in a sentence: "the draft". */
  name: string;
  data: Uint8Array;
  part: Part;
  by: By;
  /** Whether it was drawn by hand itself. */
  byHand: boolean;
}

/** Percent of the pixels that have a class. */
export function labelledPercent(label: Uint8Array): number {
  let count = 0;
  for (const value of label) if (value !== IGNORE) count++;
  return (100 * count) / label.length;
}

/** Labels for which an offer is being settled: a key that is pressed twice asks once. */
const busy = new WeakSet<Editor>();

/** Gives whether the offer is the label now. */
export async function takeOver(editor: Editor, saver: Saver, offer: Offer): Promise<boolean> {
  if (busy.has(editor)) return false;
  busy.add(editor);
  try {
    return await settle(editor, saver, offer);
  } finally {
    busy.delete(editor);
  }
}

async function settle(editor: Editor, saver: Saver, offer: Offer): Promise<boolean> {
  editor.end();
  if (!(await saver.flush())) {
    toast("The label is not saved yet, so nothing may take its place. Try again when it is saved.", true);
    return false;
  }
  // Another page is open: a question there would be about something that is not seen.
  if (editor.view.isClosed) return false;
  const replaced = labelledPercent(cut(editor.map, offer.part));
  if (editor.label.drawnByHand && replaced > 0 && offer.by !== "version" && !(await mayReplace(replaced, offer))) {
    return false;
  }
  if (editor.view.isClosed) return false;
  const { width, height } = editor.map;
  const whole = offer.part.width === width && offer.part.height === height;
  editor.take(offer.data, offer.part, { by: offer.by, hand: whole || offer.byHand ? offer.byHand : null });
  await saver.flush();
  return true;
}

function mayReplace(replaced: number, { name }: Offer): Promise<boolean> {
  const where = name === "the draft" ? "of what the draft covers" : "of the image";
  const text =
    `The label that is there was drawn by hand, or in another program; ${digits(replaced, 2)} % ${where} has a class. ` +
    `If ${name} takes its place, the label as it is now is kept as a version (see Versions), and Ctrl+Z takes it back.`;
  return ask("Replace the label drawn by hand?", text, "Replace it", "Keep the label");
}
