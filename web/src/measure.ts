/** Numbers: objects of many images with their intervals. */

import { post, type ParticleObject } from "./api";
import { Chart } from "./chart";
import { button, choice, digits, h, replace, table, toast, toastError } from "./dom";
import { classChoice, duel } from "./duel";
import { imageLink } from "./links";
import type { Page } from "./page";
import { theProject } from "./project";
import { startJob } from "./start_job";

interface Estimate {
  quantity: string;
  value: number;
  ci95: number | null;
}

interface Measured {
  scaled: boolean;
  images: {
    name: string;
    summary: { count: number; area_fraction: number; mean_radius_px: number | null };
    nm_per_px: number | null;
    objects: ParticleObject[];
    estimates: Estimate[];
  }[];
  problems: { image: string; problem: string }[];
  estimates: Estimate[];
}

export function measurePage(image?: string): Page {
  const tabs = h("div", { class: "tabs", role: "tablist" });
  const place = h("div");
  let leave: (() => void) | undefined;
  const open = (which: "many" | "duel"): void => {
    leave?.();
    leave = undefined;
    replace(
      tabs,
      button("Objects and fields", () => open("many"), { role: "tab", "aria-selected": String(which === "many") }),
      button("Threshold duel", () => open("duel"), { role: "tab", "aria-selected": String(which === "duel") }),
    );
    const view = which === "many" ? many() : duel(image);
    leave = view.leave;
    replace(place, view.element);
  };
  open(image ? "duel" : "many");
  return { element: h("section", { class: "measure-page" }, h("h1", { class: "visually-hidden" }, "Measure"), tabs, place), leave: () => leave?.() };
}

const PROPERTIES: [string, string, (o: ParticleObject, nm: number | null) => number][] = [
  ["diameter", "equivalent diameter", (o, nm) => o.diameter_px * (nm ?? 1)],
  ["area", "area", (o, nm) => o.area_px * (nm ?? 1) ** 2],
  ["feret", "maximum Feret diameter", (o, nm) => o.feret_max_px * (nm ?? 1)],
  ["circularity", "circularity", (o) => o.circularity],
  ["aspect", "aspect ratio", (o) => o.aspect_ratio],
];

function many(): Page {
  const project = theProject();
  const models = [...new Set(project.images.flatMap((c) => c.predicted))].sort();
  let of = models.length && !project.images.some((c) => c.labelled) ? models[0] : "labels";
  let klass = Math.min(1, project.classes.length - 1);
  let property = PROPERTIES[0];
  let measured: Measured | null = null;
  let chosen = new Set<string>();
  /** Objects between these values are selected. */
  let range: [number, number] | null = null;

  const pictures = h("ul", { class: "picks", "aria-label": "Images to measure" });
  const results = h("div", { class: "results" });
  const chart = new Chart("", "", {
    cursor: { drag: { x: true, y: false, setScale: false } },
    hooks: {
      setSelect: [
        (u) => {
          if (u.select.width < 3) return;
          range = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
          drawTable();
        },
      ],
    },
  });
  const list = h("div");
  const selection = h("p", { class: "quiet" });

  const available = (): string[] =>
    project.images.filter((c) => (of === "labels" ? c.labelled : c.predicted.includes(of))).map((c) => c.name);

  function picks(): void {
    const names = available();
    chosen = new Set(names);
    replace(
      pictures,
      ...names.map((name) =>
        h(
          "li",
          {},
          h(
            "label",
            {},
            h("input", {
              type: "checkbox",
              checked: true,
              change: (e) => {
                (e.target as HTMLInputElement).checked ? chosen.add(name) : chosen.delete(name);
                void count();
              },
            }),
            name,
          ),
        ),
      ),
    );
    void count();
  }

  async function count(): Promise<void> {
    if (!chosen.size) return replace(results, h("p", { class: "quiet" }, "Nothing to measure: label images or segment them first."));
    try {
      measured = await post<Measured>("/measure", { of, class: klass, images: [...chosen] });
    } catch (error) {
      return toastError(error);
    }
    range = null;
    drawResults();
  }

  const unit = (): string => (measured?.scaled ? "nm" : "px");
  const values = (): { image: string; object: ParticleObject; value: number }[] =>
    (measured?.images ?? []).flatMap((i) =>
      i.objects.map((object) => ({ image: i.name, object, value: property[2](object, measured?.scaled ? i.nm_per_px : null) })),
    );

  function drawResults(): void {
    if (!measured) return;
    const fields = measured.images.map((i) => [
      h("a", { href: imageLink(i.name) }, i.name),
      i.summary.count,
      digits(100 * i.summary.area_fraction),
      digits(mean(i.objects.map((o) => PROPERTIES[0][2](o, measured?.scaled ? i.nm_per_px : null)))),
      i.nm_per_px === null ? "-" : Number(i.nm_per_px.toPrecision(6)),
    ]);
    replace(
      results,
      table(
        `The lot: ${measured.images.length} fields together`,
        ["quantity", "value", "± 95 %"],
        measured.estimates.map((e) => [e.quantity.replaceAll("_", " "), digits(e.value, 4), e.ci95 === null ? "-" : digits(e.ci95, 2)]),
      ),
      chart.element,
      selection,
      table("Fields", ["image", "objects", "area %", `mean diameter ${unit()}`, "nm/px"], fields),
      list,
      ...measured.problems.map((p) => h("p", { class: "problem" }, `${p.image}: ${p.problem}`)),
    );
    drawHistogram();
    drawTable();
  }

  function drawHistogram(): void {
    const all = values().map((v) => v.value);
    const [, title] = property;
    const scale = ["circularity", "aspect"].includes(property[0]) ? "" : `, ${property[0] === "area" ? `${unit()}²` : unit()}`;
    chart.element.querySelector("figcaption")!.textContent = `${title}${scale}: drag to select`;
    if (!all.length) return;
    const sorted = [...all].sort((a, b) => a - b);
    const top = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.995))] || 1;
    const bins = Math.max(8, Math.min(40, Math.round(Math.sqrt(all.length))));
    const counts = new Array<number>(bins).fill(0);
    for (const v of all) if (v <= top) counts[Math.min(bins - 1, Math.floor((v / top) * bins))]++;
    const middles = counts.map((_, i) => ((i + 0.5) * top) / bins);
    chart.draw(middles, [{ name: "objects", colour: "#0072b2", values: counts, as: "bars", digits: 0 }]);
  }

  function selected(): ReturnType<typeof values> {
    return values().filter(({ value }) => !range || (value >= range[0] && value <= range[1]));
  }

  function drawTable(): void {
    const rows = selected();
    const nm = (image: string): number | null => (measured?.scaled ? (measured.images.find((i) => i.name === image)?.nm_per_px ?? null) : null);
    selection.textContent = range
      ? `${rows.length} objects between ${digits(range[0])} and ${digits(range[1])}; mean ${digits(mean(rows.map((r) => r.value)), 4)}`
      : `${rows.length} objects; mean ${property[1]} ${digits(mean(rows.map((r) => r.value)), 4)}`;
    replace(
      list,
      table(
        rows.length > 200 ? `The first 200 of ${rows.length} objects` : "Objects",
        ["image", "object", `diameter ${unit()}`, `Feret ${unit()}`, "circularity", "aspect ratio", "at edge"],
        rows.slice(0, 200).map(({ image, object }) => [
          h("a", { href: imageLink(image, [object.box[0], object.box[1], object.box[2] - object.box[0], object.box[3] - object.box[1]]) }, image),
          object.id,
          digits(object.diameter_px * (nm(image) ?? 1), 4),
          digits(object.feret_max_px * (nm(image) ?? 1), 4),
          digits(object.circularity),
          digits(object.aspect_ratio),
          object.at_edge ? "yes" : "",
        ]),
      ),
    );
  }

  function csv(): void {
    const nmOf = new Map(measured?.images.map((i) => [i.name, i.nm_per_px]) ?? []);
    const lines = ["image,object,x_px,y_px,area_px,equivalent_diameter_px,feret_max_px,feret_min_px,circularity,aspect_ratio,solidity,at_edge,nm_per_px"];
    for (const { image, object: o } of selected()) {
      const name = /[",\n]/.test(image) ? `"${image.replaceAll('"', '""')}"` : image;
      lines.push([name, o.id, o.x, o.y, o.area_px, o.diameter_px, o.feret_max_px, o.feret_min_px, o.circularity, o.aspect_ratio, o.solidity, o.at_edge, nmOf.get(image) ?? ""].join(","));
    }
    const link = h("a", { href: URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" })), download: "objects.csv" });
    link.click();
  }

  const all = async (): Promise<void> => {
    if (await startJob({ verb: "measure", of, class: project.classes[klass].name })) {
      toast("All tables, outlines and intervals go to measurements/ in the project");
    }
  };
  const element = h(
    "div",
    { class: "measure" },
    h(
      "div",
      { class: "side card" },
      choice("Masks", [["labels", "labels"], ...models.map((m): [string, string] => [m, m])], of, (v) => ((of = v), picks())),
      classChoice(klass, (i) => ((klass = i), void count())),
      choice("Histogram of", PROPERTIES.map(([k, text]) => [k, text]), property[0], (v) => ((property = PROPERTIES.find(([k]) => k === v)!), (range = null), drawHistogram(), drawTable())),
      h("div", { class: "actions" }, button("Objects as CSV", csv), button("All tables to files", () => void all())),
      h("h2", {}, "Fields"),
      pictures,
    ),
    results,
  );
  picks();
  return { element };
}

function mean(list: number[]): number {
  return list.length ? list.reduce((a, b) => a + b, 0) / list.length : NaN;
}
