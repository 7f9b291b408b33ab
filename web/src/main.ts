/** The frame: the bar, the jobs in it, and one page at a time below it. */

import "./style.css";
import { type Job, Refused } from "./api";
import { button, h, replace } from "./dom";
import { Gallery } from "./gallery";
import { imagePage } from "./image/page";
import { isOpen, listJobs, stopJob } from "./jobs";
import { measurePage } from "./measure/page";
import { toast } from "./messages";
import { duration } from "./numbers";
import type { Page } from "./page";
import { reload, theProject } from "./project";
import { connect, listen } from "./server_events";
import { setUp } from "./setup";
import { trainPage } from "./train/page";

let current: Page | undefined;

const main = h("main", { id: "main", tabindex: "-1" });
const jobs = h("div", { id: "jobs", "aria-live": "polite" });
const links: [string, string][] = [
  ["#/", "Images"],
  ["#/train", "Train"],
  ["#/measure", "Measure"],
];

function bar(): HTMLElement {
  const { name } = theProject();
  const skip = (event: Event): void => {
    event.preventDefault();
    main.focus();
  };
  return h(
    "header",
    { id: "bar" },
    h("a", { href: "#main", class: "skip", click: skip }, "Skip to content"),
    h("a", { href: "#/", id: "brand", "aria-label": `Sorby, ${name}` }, h("img", { src: "/icon.svg", alt: "" }), name),
    h("nav", { "aria-label": "Views" }, ...links.map(([href, text]) => h("a", { href }, text))),
    jobs,
    button("Theme", toggleTheme, { id: "theme", title: "Dark or light" }),
  );
}

/** Marks the link of the bar that leads to the page that is open. */
function markLink(kind: string): void {
  const open = kind === "image" ? "#/" : `#/${kind}`;
  for (const link of document.querySelectorAll("#bar nav a")) {
    if (link.getAttribute("href") === open) link.setAttribute("aria-current", "page");
  }
}

function toggleTheme(): void {
  const dark = document.documentElement.dataset.theme === "dark";
  setTheme(dark ? "light" : "dark");
}

function setTheme(theme: string): void {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  window.dispatchEvent(new Event("theme"));
}

/** Shows the jobs that run or wait in the bar. */
async function showJobs(): Promise<void> {
  replace(jobs, ...(await listJobs()).filter(isOpen).map(jobEntry));
}

function jobEntry(job: Job): HTMLElement {
  const waits = job.state === "queued";
  return h(
    "span",
    { class: "job", title: `${job.command}\n${job.last}` },
    !waits && h("span", { class: "pulse", "aria-hidden": "true" }),
    `${job.title} · ${waits ? "waits" : duration(job.seconds)}`,
    button("Stop", () => void stopJob(job), { "aria-label": `Stop: ${job.title}` }),
  );
}

/** Opens the page of an address; `item` is the image or the run in it. */
async function open(kind: string, item: string | undefined): Promise<Page> {
  if (theProject().images_found !== undefined) return setUp(refresh);
  if (kind === "image" && item) return imagePage(item);
  if (kind === "train") return trainPage(item);
  if (kind === "measure") return measurePage(item);
  return new Gallery(refresh);
}

async function show(): Promise<void> {
  current?.leave?.();
  current = undefined;
  const [, kind = "", item] = location.hash.split("/").map(decodeURIComponent);
  try {
    const project = await reload();
    document.title = `${project.name} - Sorby`;
    replace(document.body, bar(), main, document.getElementById("toasts"));
    markLink(kind);
    if (project.problem) {
      replace(main, h("p", { class: "problem" }, project.problem));
      return;
    }
    current = await open(kind, item);
    replace(main, current.element);
    void showJobs();
  } catch (error) {
    const why = error instanceof Refused ? error.message : String(error);
    replace(main, h("p", { class: "problem", role: "alert" }, why));
  }
}

const refresh = (): void => void show();

// The cookie now says who asks. The token is removed from the address bar and the history, where others could read it.
if (new URLSearchParams(location.search).has("token")) {
  history.replaceState(null, "", location.pathname + location.hash);
}
setTheme(
  localStorage.getItem("theme") ?? (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);
window.addEventListener("hashchange", refresh);
listen((event) => {
  if (event.kind !== "job") return;
  void showJobs();
  if (event.job.state === "done") toast(`${event.job.title}: done`);
  if (event.job.state === "failed") toast(`${event.job.title} failed: ${event.job.last}`, true);
});
setInterval(() => jobs.childElementCount > 0 && void showJobs(), 5000);
connect();
void show();
