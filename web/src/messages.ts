/** Short messages at the bottom of the page, which go away after some seconds. */

import { button, h } from "./dom";

/** Shows a message; screen readers read it when they have finished what they read now. */
export function toast(text: string, bad = false): void {
  put(h("div", { class: bad ? "toast bad" : "toast" }, text), bad ? 9000 : 3500);
}

/** A message with a button next to it. */
export function toastWithButton(text: string, does: string, click: () => void): void {
  const note = h("div", { class: "toast" }, text, " ");
  note.append(
    button(does, () => {
      note.remove();
      click();
    }),
  );
  put(note, 12000);
}

function put(note: HTMLElement, ms: number): void {
  let place = document.getElementById("toasts");
  if (!place) {
    place = h("div", { id: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  // Said again, it stays longer, and is not there twice.
  [...place.children].find((other) => other.textContent === note.textContent)?.remove();
  place.append(note);
  setTimeout(() => note.remove(), ms);
}

/** Shows why something failed. */
export function toastError(error: unknown): void {
  toast((error as Error).message, true);
}
