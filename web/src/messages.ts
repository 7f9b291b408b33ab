/** Short messages at the bottom of the page, which go away after some seconds. */

import { h } from "./dom";

/** Shows a message; screen readers read it when they have finished what they read now. */
export function toast(text: string, bad = false): void {
  let place = document.getElementById("toasts");
  if (!place) {
    place = h("div", { id: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  // Said again, it stays longer, and is not there twice.
  [...place.children].find((note) => note.textContent === text)?.remove();
  const note = h("div", { class: bad ? "toast bad" : "toast" }, text);
  place.append(note);
  setTimeout(() => note.remove(), bad ? 9000 : 3500);
}

/** Shows why something failed. */
export function toastError(error: unknown): void {
  toast((error as Error).message, true);
}
