/** Trainings and studies: started, watched, stopped. */

import { get, getMap, imagePath, listen, post, type ImageInfo, type Job } from "./api";
import { Chart } from "./chart";
import { button, choice, digits, duration, h, replace, table, toast, toastError } from "./dom";
import { runLink, runReport, studyReport } from "./links";
import type { Page } from "./page";
import { theProject } from "./project";
import { startJob } from "./start_job";
import { MaskLayer, palette } from "./viewer/mask";
import { ImageView } from "./viewer/view";

interface RunSummary {
  name: string;
  arch: string | null;
  state: string;
  iteration: number | null;
  iterations: number | null;
  best: [number, number] | null;
  report: boolean;
}

interface RunDetail {
  run: RunSummary;
  loss: [number[], number[]];
  validations: { iteration: number; mean_iou: number | null; iou: (number | null)[] }[];
  /** A sentence for each class that the last validation found nowhere. */
  nothing_found: string[];
  step_s: number | null;
  seconds: number;
  recipe: string;
  masks: string[];
  masks_version: string;
}

interface Runs {
  runs: RunSummary[];
  recipes: string[];
  weights: string[];
}

interface StudyDetail {
  name: string;
  report: boolean;
  status: {
    done: { run: string; miou_percent: number | null; seconds: number }[];
    failed: { run: string; reason: string }[];
    step: string | null;
    missing: string[];
    gains: { arch: string; trick: string; points: number | null; interval: [number, number] | null; verdict: string }[];
    chosen: { arch: string; tricks: string[] } | null;
  };
}

export async function trainPage(chosen?: string): Promise<Page> {
  const known = await get<Runs>("/runs");
  const list = h("div", { class: "run-list" });
  const detail = h("div", { class: "run-detail" });
  const page = detailOf(detail);
  let open = chosen ?? known.runs.at(-1)?.name ?? "";

  async function refreshList(): Promise<void> {
    const { runs } = await get<Runs>("/runs");
    replace(
      list,
      h("h2", {}, "Runs"),
      runs.length === 0 && h("p", { class: "quiet" }, "None yet."),
      h("ul", {}, ...runs.map((run) => h("li", {}, runEntry(run, run.name === open)))),
    );
  }

  const form = startForm(known, (name) => {
    open = name;
    location.hash = runLink(name);
  });
  await refreshList();
  if (open) void page.show(open);
  else replace(detail, h("p", { class: "quiet" }, "Start a training: with 15 minutes and a dozen labelled images the first model is there."));
  const deaf = listen((event) => {
    if (event.kind === "run") {
      void refreshList();
      if (event.name === open) void page.show(open);
    }
    if (event.kind === "project") void refreshList().then(() => (open ? page.show(open) : undefined));
  });
  const element = h(
    "section",
    { class: "train-page" },
    h("h1", { class: "visually-hidden" }, "Train"),
    h("div", { class: "side" }, form, list, await studyBoard()),
    detail,
  );
  return {
    element,
    leave: () => {
      deaf();
      page.close();
    },
  };
}

function runEntry(run: RunSummary, here: boolean): HTMLElement {
  const part = run.iteration !== null && run.iterations ? Math.round((100 * run.iteration) / run.iterations) : 0;
  const best = run.best ? ` · mIoU ${(100 * run.best[1]).toFixed(1)} %` : "";
  return h(
    "a",
    { href: runLink(run.name), class: "run", "aria-current": here ? "true" : undefined },
    h("strong", {}, run.name),
    h("span", { class: "quiet" }, `${run.state}${run.state === "done" ? "" : ` ${part} %`}${best}`),
  );
}

function startForm(known: Runs, started: (name: string) => void): HTMLElement {
  const project = theProject();
  const labelled = project.images.filter((c) => c.labelled).length;
  let [recipe, time, weights] = ["coffee", "15", ""];
  const has = (split: string): boolean => project.splits.includes(split);
  let train = has("train") ? "train" : "all";
  let val = has("val") ? "val" : "";
  const splits = (empty: string | null): [string, string][] => [
    ...(empty === null ? [] : ([["", empty]] as [string, string][])),
    ...project.splits.map((s): [string, string] => [s, s]),
    ["all", "all labelled images"],
  ];
  const numbers = known.runs.map((r) => Number(/^model-(\d+)$/.exec(r.name)?.[1] ?? 0));
  const name = h("input", { type: "text", value: `model-${Math.max(0, ...numbers) + 1}`, maxlength: 80 });
  const begin = async (): Promise<void> => {
    const job: Record<string, unknown> = { verb: "train", recipe, name: name.value, train, val };
    if (time.endsWith("it")) job.iterations = Number(time.slice(0, -2));
    else if (time) job.minutes = Number(time);
    if (weights) job.pretrained = weights;
    if (await startJob(job)) started(name.value.trim());
  };
  return h(
    "form",
    {
      class: "card",
      submit: (e) => {
        e.preventDefault();
        void begin();
      },
    },
    h("h2", {}, "New training"),
    h("p", { class: "quiet" }, `${labelled} labelled images. Pixels without a label are left out.`),
    h("label", { class: "field" }, h("span", {}, "Name"), name),
    choice("Recipe", known.recipes.map((r) => [r, r]), recipe, (v) => (recipe = v)),
    choice(
      "Time",
      [["2", "2 minutes"], ["5", "5 minutes"], ["15", "15 minutes"], ["60", "1 hour"], ["480", "8 hours"], ["30it", "30 iterations, to try"], ["", "as the recipe says"]],
      time,
      (v) => (time = v),
    ),
    choice("Learn from", splits(null), train, (v) => (train = v)),
    choice("Validate on", splits("nothing"), val, (v) => (val = v)),
    known.weights.length > 0 &&
      choice("Begin with", [["", "random weights"], ...known.weights.map((w): [string, string] => [w, w])], weights, (v) => (weights = v)),
    h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Train")),
  );
}

/** Curves and pictures of one run. */
function detailOf(place: HTMLElement): { show: (name: string) => Promise<void>; close: () => void } {
  const loss = new Chart("Loss", "iteration");
  const iou = new Chart("IoU on the validation images, %", "iteration", { scales: { y: { range: [0, 100] } } });
  const head = h("div");
  const overlays = h("div", { class: "overlays" });
  const recipe = h("pre");
  let shown = "";
  let version = "";
  let views: ImageView[] = [];
  const close = (): void => {
    views.forEach((view) => view.close());
    views = [];
  };

  async function showMasks(name: string, masks: string[]): Promise<void> {
    close();
    replace(overlays);
    const project = theProject();
    for (const image of masks.slice(0, 4)) {
      try {
        const info = await get<ImageInfo>(imagePath(image));
        const path = `/runs/${encodeURIComponent(name)}/validation/${encodeURIComponent(image)}`;
        const { data } = await getMap(path);
        if (data.length !== info.width * info.height) continue;
        const view = new ImageView(info);
        const layer = new MaskLayer(info.width, info.height, data, palette(project.classes.map((c) => c.color), false));
        view.layers = [layer];
        views.push(view);
        overlays.append(h("figure", {}, h("figcaption", {}, image), view.element));
      } catch {
        // An image that is gone since has no picture.
      }
    }
  }

  async function show(name: string): Promise<void> {
    let run: RunDetail;
    try {
      run = await get<RunDetail>(`/runs/${encodeURIComponent(name)}`);
    } catch {
      shown = "";
      const jobs = await get<Job[]>("/jobs").catch(() => [] as Job[]);
      const job = jobs.reverse().find((j) => j.result === `runs/${name}`);
      if (job?.state === "queued") replace(place, h("p", { class: "quiet" }, `${name} waits until another training has ended.`));
      else if (job?.state === "running") replace(place, h("p", { class: "quiet" }, `${name} is starting...`));
      else replace(place, h("p", { class: "problem", role: "alert" }, job?.last ?? `There is no run ${name}.`));
      return;
    }
    if (shown !== name) {
      shown = name;
      version = "";
      replace(place, head, loss.element, iou.element, h("h2", {}, "Validation images"), overlays, h("details", {}, h("summary", {}, "Recipe"), recipe));
    }
    const { run: about, validations } = run;
    const last = run.loss[0].at(-1) ?? 0;
    const working = ["running", "starting"].includes(about.state);
    replace(
      head,
      h("h2", {}, `${name} · ${about.arch ?? ""}`),
      ...run.nothing_found.map((line) => h("p", { class: "problem", role: "alert" }, line)),
      h(
        "p",
        { class: "facts-line", id: "run-facts" },
        h("span", {}, about.state),
        h("span", {}, `iteration ${last} of ${about.iterations ?? "?"}`),
        h("span", {}, run.step_s === null ? "" : `${digits(run.step_s)} s a step`),
        h("span", {}, working && run.step_s !== null ? `${duration(((about.iterations ?? 0) - last) * run.step_s)} left` : `${duration(run.seconds)} of training`),
        h("span", {}, about.best ? `best mIoU ${(100 * about.best[1]).toFixed(2)} % at ${about.best[0]}` : ""),
      ),
      actions(about, working),
    );
    loss.draw(run.loss[0], [{ name: "loss", colour: "#0072b2", values: run.loss[1], digits: 4 }]);
    const percent = (v: number | null): number | null => (v === null ? null : 100 * v);
    const classes = theProject().classes;
    const shades = classes.map((c) => (c.color === "#202020" ? "#7f8c99" : c.color));
    iou.draw(
      validations.map((v) => v.iteration),
      [
        { name: "mean", colour: "#009e73", values: validations.map((v) => percent(v.mean_iou)) },
        ...classes.map((c, i) => ({ name: c.name, colour: shades[i], values: validations.map((v) => percent(v.iou[i] ?? null)) })),
      ],
    );
    iou.element.hidden = validations.length === 0;
    recipe.textContent = run.recipe;
    if (version !== run.masks_version) {
      version = run.masks_version;
      void showMasks(name, run.masks);
    }
  }

  function actions(about: RunSummary, working: boolean): HTMLElement {
    const has = theProject().splits;
    const split = has.includes("val") ? "val" : "all";
    return h(
      "div",
      { class: "actions" },
      working && button("Stop", () => void stop(about.name), { title: "Not a step is lost" }),
      !working && about.state !== "done" && button("Go on", () => void startJob({ verb: "resume", run: about.name }), { class: "primary" }),
      about.state === "done" && button("Segment all images", () => void startJob({ verb: "segment", model: about.name }), { class: "primary" }),
      about.state === "done" && button("Make the report", () => void startJob({ verb: "report", run: about.name, split })),
      about.report && h("a", { class: "button", id: "report-link", href: runReport(about.name), download: `${about.name}-report.html` }, "Download the report"),
      about.report && h("a", { class: "button", href: runReport(about.name), target: "_blank", rel: "noopener" }, "Look at it"),
    );
  }
  return { show, close };
}

async function stop(run: string): Promise<void> {
  const jobs = await get<Job[]>("/jobs");
  const job = jobs.find((j) => (j.state === "running" || j.state === "queued") && j.result === `runs/${run}`);
  if (!job) return toast("This training was not started from this page; stop it where it runs", true);
  await post(`/jobs/${job.id}/stop`, {}).catch(toastError);
}

/** The n+2 board. */
async function studyBoard(): Promise<HTMLElement> {
  const { files, studies } = await get<{ files: string[]; studies: string[] }>("/studies");
  const board = h("div");
  let file = files[0] ?? "";
  const show = async (name: string): Promise<void> => {
    try {
      const { status, report } = await get<StudyDetail>(`/studies/${encodeURIComponent(name)}`);
      replace(
        board,
        h("p", {}, `${status.done.length} trainings done${status.step ? `; next: ${status.step}, ${status.missing.length} to train` : "; finished"}.`),
        gainsTable(status),
        status.chosen &&
          h("p", { class: "good-text" }, `Chosen: ${status.chosen.arch} with ${status.chosen.tricks.join(" + ") || "no trick"}, by the validation folds alone.`),
        ...status.failed.map((f) => h("p", { class: "problem" }, `${f.run} failed: ${f.reason}`)),
        h(
          "div",
          { class: "actions" },
          button("Make the report", () => void startJob({ verb: "studyreport", study: name })),
          report && h("a", { class: "button", href: studyReport(name), target: "_blank", rel: "noopener" }, "Look at it"),
        ),
      );
    } catch (error) {
      replace(board, h("p", { class: "problem" }, (error as Error).message));
    }
  };
  if (studies.length) void show(studies[0]);
  return h(
    "div",
    { class: "card" },
    h("h2", {}, "Studies"),
    files.length === 0 && studies.length === 0 && h("p", { class: "quiet" }, "A study tries tricks one by one. Put a study file into the project: see docs/studies.md."),
    files.length > 0 && choice("Study file", files.map((f) => [f, f]), file, (v) => (file = v)),
    files.length > 0 && button("Run it", () => void startJob({ verb: "study", file })),
    studies.length > 0 && choice("Board of", studies.map((s) => [s, s]), studies[0], (v) => void show(v)),
    board,
  );
}

function gainsTable(status: StudyDetail["status"]): HTMLElement {
  const rows = status.gains.map((g) => [
    g.arch,
    g.trick,
    g.points === null ? "-" : `${g.points >= 0 ? "+" : ""}${g.points.toFixed(2)}`,
    g.interval ? `${g.interval[0].toFixed(2)} to ${g.interval[1].toFixed(2)}` : "-",
    g.verdict,
  ]);
  return table("Gain of each trick in points of mIoU", ["network", "trick", "gain", "95 % interval", "verdict"], rows);
}
