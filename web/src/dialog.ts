/** Questions and lists in a window of the page: the rest waits, Escape closes it, the focus comes back. */

import { button, h, type Child } from "./dom";

/** While a window is open, no key means anything outside of it. */
export const isDialogOpen = (): boolean => document.querySelector("dialog[open]") !== null;

function open(title: string, content: Child[], buttons: (dialog: HTMLDialogElement) => Child[]): HTMLDialogElement {
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" });
  dialog.append(
    h("h2", { id: "dialog-title" }, title),
    h("div", { class: "dialog-text", tabindex: "0", role: "region", "aria-labelledby": "dialog-title" }, ...content),
    h("div", { class: "actions" }, ...buttons(dialog)),
  );
  // The question was about the page that was open.
  const close = (): void => dialog.close();
  window.addEventListener("hashchange", close);
  dialog.addEventListener("close", () => {
    window.removeEventListener("hashchange", close);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks once. The focus is on the answer that changes nothing. */
export function ask(title: string, text: string, yes: string, no: string): Promise<boolean> {
  return new Promise((answered) => {
    const dialog = open(title, [h("p", {}, text)], (it) => [
      button(no, () => it.close("no"), { autofocus: true }),
      button(yes, () => it.close("yes"), { class: "primary" }),
    ]);
    dialog.addEventListener("close", () => answered(dialog.returnValue === "yes"));
  });
}

/** Shows something until it is closed. */
export function tell(title: string, ...content: Child[]): void {
  open(title, content, (it) => [button("Close", () => it.close(), { autofocus: true })]);
}
