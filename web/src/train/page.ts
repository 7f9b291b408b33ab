/** The page of trainings and studies: started, watched, stopped. */

import { nameView } from "../address";
import { get } from "../api";
import { h, replace } from "../dom";
import { runLink } from "../links";
import type { Page } from "../page";
import { listen, type ServerEvent } from "../server_events";
import { RunList } from "./run_list";
import { RunView } from "./run_view";
import type { Runs } from "./runs";
import { startForm } from "./start_form";
import { studyBoard } from "./study_board";

const HELP = "Start a training: with 15 minutes and a dozen labelled images the first model is there.";

/** Opens a run; without a name, the newest. */
export async function trainPage(name?: string): Promise<Page> {
  const known = await get<Runs>("/runs");
  const list = new RunList();
  const detail = h("div", { class: "run-detail" });
  const view = new RunView(detail);
  let open = name ?? known.runs.at(-1)?.name ?? "";
  const form = startForm(known, (started) => {
    open = started;
    location.hash = runLink(started);
  });
  const heard = (event: ServerEvent): void => {
    if (event.kind === "run") {
      void list.refresh(open);
      if (event.name === open) void view.show(open);
    }
    if (event.kind === "project") void list.refresh(open).then(() => (open ? view.show(open) : undefined));
  };

  if (open && !name) nameView(runLink(open));
  await list.refresh(open);
  if (open) void view.show(open);
  else replace(detail, h("p", { class: "quiet" }, HELP));
  const stopListening = listen(heard);
  const side = h("div", { class: "side" }, form, list.element, await studyBoard());
  const heading = h("h1", { class: "visually-hidden" }, "Train");
  return {
    element: h("section", { class: "train-page" }, heading, side, detail),
    leave: () => {
      stopListening();
      view.close();
    },
  };
}
