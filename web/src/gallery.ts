/** All images with their state. */

import { imagePath, listen, upload, type ImageCard, get } from "./api";
import { button, choice, h, replace, toast, toastError } from "./dom";
import { imageLink } from "./links";
import type { Page } from "./page";
import { reload, theProject } from "./project";
import { startJob } from "./start_job";
import { scaleText } from "./viewer/scale_bar";

interface Suggestion {
  name: string;
  region_px: [number, number, number, number] | null;
  why: string;
}

type Filter = (card: ImageCard) => boolean;
const FILTERS: Record<string, [string, Filter]> = {
  all: ["all images", () => true],
  open: ["not labelled", (c) => !c.labelled],
  labelled: ["labelled", (c) => c.labelled],
  flagged: ["flagged", (c) => c.findings.length > 0 || c.unlike.length > 0 || c.scale_problem !== null],
};

export function gallery(refresh: () => void): Page {
  let filter = "all";
  let model = theProject().models.at(-1)?.name ?? "";
  const grid = h("ul", { class: "gallery", "aria-label": "Images" });
  const count = h("span", { class: "quiet" });
  const draw = (): void => {
    const cards = theProject().images.filter(FILTERS[filter][1]);
    const labelled = theProject().images.filter((c) => c.labelled).length;
    count.textContent = `${cards.length} shown · ${labelled} of ${theProject().images.length} labelled`;
    replace(grid, ...cards.map(card));
  };
  const next = async (): Promise<void> => {
    try {
      const list = await get<Suggestion[]>("/next");
      if (!list.length) return toast("Every image has a label");
      toast(`${list[0].name}: ${list[0].why}`);
      location.hash = imageLink(list[0].name, list[0].region_px ?? undefined);
    } catch (error) {
      toastError(error);
    }
  };
  const take = async (files: FileList | null): Promise<void> => {
    for (const file of files ?? []) {
      try {
        await upload(file);
      } catch (error) {
        toast(`${file.name}: ${(error as Error).message}`, true);
      }
    }
    refresh();
  };
  const more = h("span", { class: "toolbar" });
  /** What there is only after a check, or a training. */
  const drawMore = (): void => {
    const models = theProject().models;
    model = models.some((m) => m.name === model) ? model : (models.at(-1)?.name ?? "");
    replace(
      more,
      theProject().checked &&
        h("a", { class: "button", href: "/results/.sorby/check.html", target: "_blank", rel: "noopener" }, "Findings"),
      models.length > 0 && choice("Model", models.map((m) => [m.name, m.name]), model, (v) => (model = v)),
      models.length > 0 && button("Segment all", () => void startJob({ verb: "segment", model })),
    );
  };
  const tools = h(
    "div",
    { class: "toolbar" },
    choice("Show", Object.entries(FILTERS).map(([k, [text]]) => [k, text]), filter, (v) => ((filter = v), draw())),
    count,
    h("span", { class: "gap" }),
    button("Label next", () => void next(), { class: "primary", title: "The image where a label would help most" }),
    button("Check the data", () => void startJob({ verb: "check" })),
    more,
    h(
      "label",
      { class: "button" },
      "Add images",
      h("input", {
        type: "file",
        multiple: true,
        class: "hidden-input",
        accept: ".png,.tif,.tiff,.jpg,.jpeg,.bmp",
        change: (e) => void take((e.target as HTMLInputElement).files),
      }),
    ),
  );
  draw();
  drawMore();
  const leave = listen((event) => {
    if (event.kind === "label") void reload().then(draw);
    if (event.kind === "project") void reload().then(() => (draw(), drawMore()));
  });
  return { element: h("section", {}, h("h1", { class: "visually-hidden" }, "Images"), tools, grid), leave };
}

function card(c: ImageCard): HTMLElement {
  const marks = [
    h("span", { class: c.labelled ? "mark good" : "mark" }, c.labelled ? "labelled" : "open"),
    c.split && h("span", { class: "mark" }, c.split),
    c.predicted.length > 0 && h("span", { class: "mark", title: c.predicted.join(", ") }, "predicted"),
    c.unlike.length > 0 && h("span", { class: "mark warn", title: `unlike the training images of ${c.unlike.join(", ")}` }, "unlike"),
    c.scale_problem && h("span", { class: "mark bad", title: c.scale_problem }, "scale refused"),
    c.findings.length > 0 && h("span", { class: "mark bad", title: c.findings.join("\n") }, "flagged"),
  ];
  return h(
    "li",
    {},
    h(
      "a",
      { href: imageLink(c.name) },
      h("img", {
        src: `/api${imagePath(c.name)}/small?v=${c.version}`,
        alt: "",
        loading: "lazy",
        width: 220,
        height: 160,
      }),
      h("span", { class: "name" }, c.name),
      h("span", { class: "quiet", title: c.scale_source ?? "" }, `${c.width} × ${c.height} · ${scaleText(c)}`),
    ),
    h("span", { class: "marks" }, ...marks),
  );
}
