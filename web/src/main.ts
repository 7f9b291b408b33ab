/** The frame of the page: bar, jobs, and one view at a time. */

import "./style.css";
import { connect, get, listen, post, type Job, type Project, Refused } from "./api";
import { button, duration, h, replace, toast } from "./dom";
import { gallery } from "./gallery";
import { labelling } from "./image";
import { measuring } from "./measure";
import { setUp } from "./setup";
import { training } from "./train";

/** A view: its element, and what to do when it is left. */
export interface View {
  element: HTMLElement;
  leave?: () => void;
}

let project: Project;
let current: View | undefined;

export const theProject = (): Project => project;

export async function reload(): Promise<Project> {
  project = await get<Project>("/project");
  return project;
}

const main = h("main", { id: "main", tabindex: "-1" });
const jobs = h("div", { id: "jobs", "aria-live": "polite" });
const links: [string, string][] = [
  ["#/", "Images"],
  ["#/train", "Train"],
  ["#/measure", "Measure"],
];

function bar(): HTMLElement {
  return h(
    "header",
    { id: "bar" },
    h("a", { href: "#main", class: "skip", click: (e) => (e.preventDefault(), main.focus()) }, "Skip to content"),
    h("a", { href: "#/", id: "brand", "aria-label": `Sorby, ${project.name}` }, h("img", { src: "/icon.svg", alt: "" }), project.name),
    h("nav", { "aria-label": "Views" }, ...links.map(([href, text]) => h("a", { href }, text))),
    jobs,
    button("Theme", toggleTheme, { id: "theme", title: "Dark or light" }),
  );
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

/** Shows jobs that run or wait, and the last that failed, in the bar. */
async function showJobs(): Promise<void> {
  const list = await get<Job[]>("/jobs").catch(() => [] as Job[]);
  const running = list.filter((job) => job.state === "running" || job.state === "queued");
  replace(jobs, ...running.map(jobChip));
}

function jobChip(job: Job): HTMLElement {
  const waits = job.state === "queued";
  return h(
    "span",
    { class: "job", title: `${job.command}\n${job.last}` },
    !waits && h("span", { class: "pulse", "aria-hidden": "true" }),
    `${job.title} · ${waits ? "waits" : duration(job.seconds)}`,
    button("Stop", () => void post(`/jobs/${job.id}/stop`, {}).catch((e: Error) => toast(e.message, true)), {
      "aria-label": `Stop: ${job.title}`,
    }),
  );
}

async function show(): Promise<void> {
  current?.leave?.();
  current = undefined;
  const [, view = "", ...rest] = location.hash.split("/").map(decodeURIComponent);
  try {
    await reload();
    document.title = `${project.name} - Sorby`;
    replace(document.body, bar(), main, document.getElementById("toasts"));
    for (const link of document.querySelectorAll("#bar nav a")) {
      const here = link.getAttribute("href") === (view ? `#/${view === "image" ? "" : view}` : "#/");
      if (here) link.setAttribute("aria-current", "page");
    }
    if (project.problem) {
      replace(main, h("p", { class: "problem" }, project.problem));
      return;
    }
    if (project.images_found !== undefined) current = setUp();
    else if (view === "image" && rest[0]) current = await labelling(rest[0]);
    else if (view === "train") current = await training(rest[0]);
    else if (view === "measure") current = measuring(rest[0]);
    else current = gallery();
    replace(main, current.element);
    void showJobs();
  } catch (error) {
    replace(main, h("p", { class: "problem", role: "alert" }, error instanceof Refused ? error.message : String(error)));
  }
}

export const refresh = (): void => void show();

// The cookie says who asks from now on: the token is for nobody who looks at the address bar or the history.
if (new URLSearchParams(location.search).has("token")) history.replaceState(null, "", location.pathname + location.hash);
setTheme(
  localStorage.getItem("theme") ?? (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);
window.addEventListener("hashchange", () => void show());
listen((event) => {
  if (event.kind !== "job") return;
  void showJobs();
  if (event.job.state === "done") toast(`${event.job.title}: done`);
  if (event.job.state === "failed") toast(`${event.job.title} failed: ${event.job.last}`, true);
});
setInterval(() => jobs.childElementCount > 0 && void showJobs(), 5000);
connect();
void show();
