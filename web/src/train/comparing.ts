/** Runs are chosen and compared: scores, recipes and curves next to each other, on a page of their own. */

import { button, h, isChecked, newTabLink, replace } from "../dom";
import { startJob } from "../jobs";
import { comparisonPage } from "../links";
import { toast } from "../messages";
import type { Runs } from "./runs";

export class Comparing {
  private chosen = new Set<string>();
  private rows = h("div");
  readonly element = h("details", { class: "card comparing" }, h("summary", {}, "Compare runs"), this.rows);

  draw({ runs, comparisons }: Runs): void {
    const done = runs.filter((run) => run.best !== null).map((run) => run.name);
    for (const name of this.chosen) if (!done.includes(name)) this.chosen.delete(name);
    const compare = button("Compare", () => void this.compare(done), { disabled: this.chosen.size < 2 });
    const box = (name: string): HTMLElement => {
      const change = (event: Event): void => {
        if (isChecked(event)) this.chosen.add(name);
        else this.chosen.delete(name);
        compare.disabled = this.chosen.size < 2;
      };
      return h("label", { class: "check" }, h("input", { type: "checkbox", checked: this.chosen.has(name), change }), name);
    };
    replace(
      this.rows,
      done.length < 2 && h("p", { class: "quiet" }, "Two runs that were validated are needed."),
      done.length > 1 && h("fieldset", { class: "checks" }, h("legend", {}, "Runs that were validated on the same images"), ...done.map(box)),
      h("div", { class: "actions" }, compare),
      comparisons.length > 0 && h("h3", {}, "Comparisons"),
      h("div", { class: "actions" }, ...comparisons.map((name) => newTabLink(name, comparisonPage(name)))),
    );
  }

  /** Differences are to the first run, in the order of the list. */
  private async compare(done: string[]): Promise<void> {
    const runs = done.filter((name) => this.chosen.has(name));
    if (await startJob({ verb: "compare", runs })) toast("The comparison is being made; its page will be listed here");
  }
}
