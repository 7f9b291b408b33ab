/** The routine: an operator measures lots by jobs that a supervisor has made. */

import { get } from "../api";
import { h, replace } from "../dom";
import { lotLink } from "../links";
import type { Page } from "../page";
import { reload } from "../project";
import { listen, type ServerEvent } from "../server_events";
import { JobForm } from "./job_form";
import { JobList } from "./job_list";
import { LotForm } from "./lot_form";
import { LotList } from "./lot_list";
import { LotView } from "./lot_view";
import type { Routine } from "./types";

const HELP = "Choose a lot in the list: its verdict and its report are shown here.";

/** Opens a lot; without a name, none. */
export async function routinePage(open = ""): Promise<Page> {
  const known = await get<Routine>("/routine");
  const jobs = new JobList();
  const lots = new LotList();
  const view = new LotView();
  const lotForm = new LotForm(known, (lot) => (location.hash = lotLink(lot)));
  const jobForm = new JobForm(known);
  const draw = ({ jobs: list, lots: measured }: Routine): void => {
    jobs.draw(list);
    lots.draw(measured, open);
  };
  const renew = async (): Promise<void> => {
    await reload();
    const now = await get<Routine>("/routine");
    draw(now);
    lotForm.renew(now);
    jobForm.renew(now);
  };
  const heard = (event: ServerEvent): void => {
    if (event.kind === "project") void renew();
    const ofLot = event.kind === "job" && event.job.result === `lots/${open}`;
    if (open && (ofLot || event.kind === "project")) void view.show(open);
  };
  draw(known);
  if (open) await view.show(open);
  else replace(view.element, h("p", { class: "quiet" }, HELP));
  const stopListening = listen(heard);
  const side = h("div", { class: "side" }, lotForm.element, lots.element);
  const lotAndForms = open ? [view.element, side] : [side, view.element];
  const supervisor = h(
    "section",
    { class: "supervisor" },
    h("h2", {}, "Measuring jobs"),
    h("div", { class: "two" }, jobs.element, jobForm.element),
  );
  const heading = h("h1", { class: "visually-hidden" }, "Routine");
  return {
    element: h("section", {}, heading, h("div", { class: open ? "train-page lot-open" : "train-page" }, ...lotAndForms), supervisor),
    leave: stopListening,
  };
}
