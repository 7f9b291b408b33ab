/** The bar above every view: the project, the views, the jobs at work. Made once. */

import type { Job } from "./api";
import type { Address } from "./address";
import { button, h, replace } from "./dom";
import { isOpen, listJobs } from "./jobs";
import { JOBS_PAGE, ROUTINE_PAGE } from "./links";
import { duration } from "./numbers";
import { theProject } from "./project";
import { listen } from "./server_events";
import { toggleTheme } from "./theme";

const VIEWS: [string, string, Address["view"][]][] = [
  ["#/", "Images", ["images", "image", "classes"]],
  ["#/train", "Train", ["train"]],
  ["#/measure", "Measure", ["measure"]],
  [ROUTINE_PAGE, "Routine", ["routine"]],
  [JOBS_PAGE, "Jobs", ["jobs"]],
];

export class Frame {
  readonly main = h("main", { id: "main", tabindex: "-1" });
  readonly bar: HTMLElement;
  private brand = h("a", { href: "#/", id: "brand" });
  private links = VIEWS.map(([href, text]) => h("a", { href }, text));
  private jobs = h("div", { id: "jobs" });

  constructor() {
    const skip = (event: Event): void => {
      event.preventDefault();
      this.main.focus();
    };
    this.bar = h(
      "header",
      { id: "bar" },
      h("a", { href: "#main", class: "skip", click: skip }, "Skip to content"),
      this.brand,
      h("nav", { "aria-label": "Views" }, ...this.links),
      this.jobs,
      button("Theme", toggleTheme, { id: "theme", title: "Dark or light" }),
    );
    listen((event) => event.kind === "job" && void this.showJobs());
    setInterval(() => this.jobs.childElementCount > 0 && void this.showJobs(), 5000);
  }

  /** Names the project. */
  drawProject(): void {
    const { name, root, version } = theProject();
    this.brand.setAttribute("aria-label", `Sorby, ${name}`);
    this.brand.title = version ? `${root}\nSorby ${version}` : root;
    replace(this.brand, h("img", { src: "/icon.svg", alt: "" }), name);
  }

  /** Marks the view that is open. */
  mark({ view }: Address): void {
    this.links.forEach((link, i) => {
      if (VIEWS[i][2].includes(view)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  }

  /** Shows what runs and how much waits; all about it is on the page of jobs. */
  async showJobs(): Promise<void> {
    const open = (await listJobs()).filter(isOpen);
    const running = open.filter((job) => job.state === "running");
    const waiting = open.length - running.length;
    replace(
      this.jobs,
      ...running.slice(0, 2).map(jobEntry),
      running.length > 2 && h("span", { class: "job" }, `${running.length - 2} more`),
      waiting > 0 && h("a", { class: "job", href: JOBS_PAGE }, `${waiting} waiting`),
    );
  }
}

function jobEntry(job: Job): HTMLElement {
  return h(
    "a",
    { class: "job", href: JOBS_PAGE, title: job.last },
    h("span", { class: "pulse", "aria-hidden": "true" }),
    `${job.title} · ${duration(job.seconds)}`,
  );
}
