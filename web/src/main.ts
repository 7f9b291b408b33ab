/** One view at a time below the bar: the one that the address names. */

import "./style.css";
import { addressOf, titleOf, type Address } from "./address";
import { Refused } from "./api";
import { classesPage } from "./classes/page";
import { connectionBanner } from "./connection";
import { h, replace } from "./dom";
import { focusHeading } from "./focus";
import { Frame } from "./frame";
import { Gallery } from "./gallery/page";
import { imagePage } from "./image/page";
import { announceEnd } from "./job_words";
import { jobsPage } from "./jobs_page";
import { measurePage } from "./measure/page";
import { toast } from "./messages";
import type { Page } from "./page";
import { reload, theProject } from "./project";
import { routinePage } from "./routine/page";
import { connect, listen } from "./server_events";
import { setUp } from "./setup";
import { startTheme } from "./theme";
import { trainPage } from "./train/page";

/** A view that is there sooner is not announced. */
const SLOW_MS = 300;

const frame = new Frame();
let current: Page | undefined;
/** Counts the views that were asked for: only the last one is shown. */
let asked = 0;
/** The address that was shown last. */
let shown: string | null = null;

/** Opens the view of an address. */
async function open({ view, item }: Address): Promise<Page> {
  if (theProject().images_found !== undefined) return setUp(refresh);
  if (view === "image" && item) return imagePage(item);
  if (view === "train") return trainPage(item);
  if (view === "measure") return measurePage(item);
  if (view === "routine") return routinePage(item);
  if (view === "classes") return classesPage(refresh);
  if (view === "jobs") return jobsPage();
  return new Gallery(refresh);
}

async function show(): Promise<void> {
  const mine = ++asked;
  const { hash } = location;
  const address = addressOf(hash);
  current?.leave?.();
  current = undefined;
  frame.mark(address);
  const slow = setTimeout(() => replace(frame.main, message("Loading…", "status")), SLOW_MS);
  try {
    const page = await load(address);
    clearTimeout(slow);
    if (mine === asked) put(page, hash);
    else page.leave?.();
  } catch (error) {
    clearTimeout(slow);
    if (mine !== asked) return;
    replace(frame.main, message(error instanceof Refused ? error.message : String(error), "alert"));
  }
}

async function load(address: Address): Promise<Page> {
  const project = await reload();
  document.title = titleOf(address, project.name);
  frame.drawProject();
  void frame.showJobs();
  if (project.problem) throw new Refused(0, project.problem);
  return open(address);
}

/** Puts a view in its place. After a change of view the focus is on its heading. */
function put(page: Page, hash: string): void {
  const moved = shown !== null && shown !== hash;
  shown = hash;
  current = page;
  frame.main.scrollTop = 0;
  replace(frame.main, page.element);
  if (moved) focusHeading(page.element);
  page.shown?.();
}

/** What is said in place of a view. */
function message(text: string, role: "status" | "alert"): HTMLElement {
  const heading = h("h1", { class: "visually-hidden" }, role === "alert" ? "This cannot be shown" : "Loading");
  return h("div", {}, heading, h("p", { class: role === "alert" ? "problem" : "quiet", role }, text));
}

const refresh = (): void => void show();

/** The server answers again. What could not be shown is tried again; an open view hears that the project has changed. */
function serverIsBack(): void {
  if (!current) refresh();
  void frame.showJobs();
}

// The cookie now says who asks. The token is removed from the address bar and the history, where others could read it.
if (new URLSearchParams(location.search).has("token")) {
  history.replaceState(null, "", location.pathname + location.hash);
}
startTheme();
replace(document.body, frame.bar, connectionBanner(serverIsBack), frame.main);
window.addEventListener("hashchange", refresh);
// Views ask anew in the background; that the server is gone is said once, by the line below the bar.
window.addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof Refused && event.reason.status === 0) event.preventDefault();
});
listen((event) => {
  if (event.kind === "job") void announceEnd(event.job, toast);
});
connect();
void show();
