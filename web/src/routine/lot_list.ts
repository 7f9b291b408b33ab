/** The lots that were measured, the newest first. */

import { h, replace } from "../dom";
import { lotLink } from "../links";
import type { LotSummary } from "./types";
import { lotText } from "./words";

export class LotList {
  readonly element = h("div", { class: "run-list lot-list" });

  draw(lots: LotSummary[], open: string): void {
    const newest = [...lots].sort((a, b) => (b.date ?? "\uffff").localeCompare(a.date ?? "\uffff"));
    replace(
      this.element,
      h("h2", {}, "Lots"),
      lots.length === 0 && h("p", { class: "quiet" }, "None yet."),
      h("ul", {}, ...newest.map((lot) => h("li", {}, entry(lot, lot.name === open)))),
    );
  }
}

function entry(lot: LotSummary, here: boolean): HTMLElement {
  return h(
    "a",
    { href: lotLink(lot.name), class: "run", "aria-current": here ? "true" : undefined },
    h("strong", {}, lot.name),
    h("span", { class: "quiet" }, lotText(lot)),
  );
}
