/** The list of trainings. */

import { get } from "../api";
import { h, replace } from "../dom";
import { runLink } from "../links";
import type { Runs, RunSummary } from "./runs";

export class RunList {
  readonly element = h("div", { class: "run-list" });

  /** Asks the server for the runs; that which is open is marked. */
  async refresh(open: string): Promise<void> {
    const { runs } = await get<Runs>("/runs");
    replace(
      this.element,
      h("h2", {}, "Runs"),
      runs.length === 0 && h("p", { class: "quiet" }, "None yet."),
      h("ul", {}, ...runs.map((run) => h("li", {}, entry(run, run.name === open)))),
    );
  }
}

function entry(run: RunSummary, here: boolean): HTMLElement {
  const done = run.iteration !== null && run.iterations ? Math.round((100 * run.iteration) / run.iterations) : 0;
  const progress = run.state === "done" ? "" : ` ${done} %`;
  const best = run.best ? ` · mIoU ${(100 * run.best[1]).toFixed(1)} %` : "";
  return h(
    "a",
    { href: runLink(run.name), class: "run", "aria-current": here ? "true" : undefined },
    h("strong", {}, run.name),
    h("span", { class: "quiet" }, `${run.state}${progress}${best}`),
  );
}
