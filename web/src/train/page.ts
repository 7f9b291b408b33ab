/** The page of trainings and studies: started, watched, stopped. */

import { nameView } from "../address";
import { get } from "../api";
import { h, replace } from "../dom";
import { runLink } from "../links";
import type { Page } from "../page";
import { reload } from "../project";
import { listen, type ServerEvent } from "../server_events";
import { Comparing } from "./comparing";
import { RunList } from "./run_list";
import { RunView } from "./run_view";
import type { Runs } from "./runs";
import { StartForm } from "./start_form";
import { studyBoard } from "./study_board";
import { StudyForm } from "./study_form";

const HELP = "Start a training: with 15 minutes and a dozen labelled images the first model is there.";

/** Opens a run; without a name, the newest. */
export async function trainPage(name?: string): Promise<Page> {
  const known = await get<Runs>("/runs");
  const list = new RunList();
  const comparing = new Comparing();
  const studyForm = new StudyForm(known);
  const detail = h("div", { class: "run-detail" });
  const view = new RunView(detail);
  let open = name ?? known.runs.at(-1)?.name ?? "";
  const form = new StartForm(known, (started) => {
    open = started;
    location.hash = runLink(started);
  });
  /** The project has changed: images, labels, runs or their states. */
  const renewAll = async (): Promise<void> => {
    await reload();
    const now = await list.refresh(open);
    form.renew(now);
    comparing.draw(now);
    studyForm.renew(now);
    if (open) await view.show(open);
  };
  const heard = (event: ServerEvent): void => {
    if (event.kind === "run") {
      void list.refresh(open);
      if (event.name === open) void view.show(open);
    }
    // What a running training prints changes nothing in the list.
    if (event.kind === "job" && event.job.verb === "train" && event.job.state !== "running") void list.refresh(open);
    if (event.kind === "label") void reload().then(() => form.renew(known));
    if (event.kind === "project") void renewAll();
  };

  if (open && !name) nameView(runLink(open));
  comparing.draw(await list.refresh(open));
  if (open) void view.show(open);
  else replace(detail, h("p", { class: "quiet" }, HELP));
  const stopListening = listen(heard);
  const side = h("div", { class: "side" }, form.element, list.element, comparing.element, await studyBoard(studyForm));
  const heading = h("h1", { class: "visually-hidden" }, "Train");
  return {
    element: h("section", { class: "train-page" }, heading, side, detail),
    leave: () => {
      stopListening();
      view.close();
    },
  };
}
