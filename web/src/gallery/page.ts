/** All images with their state, and what can be done with all of them. */

import { get, type ImageCard } from "../api";
import { button, choice, fieldValue, h, newTabLink, replace, sameOptions } from "../dom";
import { startJob } from "../jobs";
import { CHECK_REPORT, CLASSES_PAGE, imageLink } from "../links";
import { toast, toastError } from "../messages";
import type { Page } from "../page";
import { reload, theProject } from "../project";
import { keepPlace, showPlace } from "../scroll_place";
import { listen } from "../server_events";
import { Adding } from "./adding";
import { imageCard } from "./card";
import { Editing } from "./editing";
import { Exporting } from "./exporting";
import { filters, listed, SORTS, type ListChoices } from "./list";

/** An image to label next. */
interface Suggestion {
  name: string;
  region_px: [number, number, number, number] | null;
  why: string;
}

/** As chosen when the gallery was open last. */
const choices: ListChoices = { search: "", filter: "all", sort: "name" };

export class Gallery implements Page {
  readonly element: HTMLElement;
  private stopListening: () => void;
  /** The model that segments all images. */
  private model = "";
  private grid = h("ul", { class: "gallery", "aria-label": "Images" });
  private count = h("span", { class: "quiet", role: "status" });
  /** Which images are listed. */
  private lists = h("span", { class: "toolbar" });
  /** What there is only after a check, or a training. */
  private more = h("span", { class: "toolbar" });
  private adding: Adding;
  private exporting = new Exporting();
  private editing = new Editing(() => this.cards(), () => this.drawImages());

  /** `refresh` opens the page again. */
  constructor(refresh: () => void) {
    this.adding = new Adding(refresh);
    const heading = h("h1", { class: "visually-hidden" }, "Images");
    const { root, version } = theProject();
    const about = h("p", { class: "quiet about-project" }, `${root} · Sorby ${version}`);
    this.element = h(
      "section",
      { class: "gallery-page" },
      heading,
      this.toolbar(),
      this.adding.progress,
      this.editing.element,
      this.exporting.element,
      this.grid,
      about,
    );
    this.adding.takeDrops(this.element);
    this.drawAll();
    this.stopListening = listen((event) => {
      if (event.kind === "label") void reload().then(() => this.drawImages());
      if (event.kind === "project") void reload().then(() => this.drawAll());
    });
  }

  shown(): void {
    showPlace("gallery", this.grid, this.element.parentElement!);
  }

  leave(): void {
    this.stopListening();
    keepPlace("gallery", this.grid, this.element.parentElement!);
  }

  private drawAll(): void {
    this.drawLists();
    this.drawImages();
    this.drawMore();
    this.editing.draw();
    this.exporting.draw();
  }

  private toolbar(): HTMLElement {
    const next = { class: "primary", title: "The image where a label would help most" };
    return h(
      "div",
      { class: "toolbar" },
      this.lists,
      this.count,
      h("span", { class: "gap" }),
      button("Label next", () => void this.openNext(), next),
      button("Check the data", () => void startJob({ verb: "check" })),
      this.more,
      h("a", { class: "button", href: CLASSES_PAGE }, "Classes"),
      this.adding.button,
    );
  }

  private drawLists(): void {
    const choose = (key: keyof ListChoices) => (value: string): void => {
      choices[key] = value;
      this.drawImages();
    };
    const list = filters(theProject().splits);
    // A split may be gone.
    if (!list.some(([key]) => key === choices.filter)) choices.filter = "all";
    const search = { type: "text", value: choices.search, input: (e: Event) => choose("search")(fieldValue(e)) };
    replace(
      this.lists,
      h("label", { class: "field" }, h("span", {}, "Search"), h("input", search)),
      choice("Show", list, choices.filter, choose("filter")),
      choice("Sort by", SORTS, choices.sort, choose("sort")),
    );
  }

  private cards = (): ImageCard[] => listed(theProject().images, choices);

  private drawImages(): void {
    const { images } = theProject();
    const cards = this.cards();
    const labelled = images.filter((card) => card.labelled).length;
    this.count.textContent = `${cards.length} shown · ${labelled} of ${images.length} labelled`;
    const { selected } = this.editing;
    const element = (card: ImageCard): HTMLElement =>
      imageCard(card, selected.has(card.name), (on) => this.editing.select(card.name, on));
    if (cards.length) return replace(this.grid, ...cards.map(element));
    const text = images.length ? "No image is named and marked like this." : "Add images, or drop them here.";
    replace(this.grid, h("li", { class: "empty" }, text));
  }

  private drawMore(): void {
    const { checked, models } = theProject();
    const names = sameOptions(models.map((m) => m.name));
    // The model that was chosen, while there is one of this name, else the newest.
    if (!models.some((m) => m.name === this.model)) this.model = models.at(-1)?.name ?? "";
    replace(
      this.more,
      checked && newTabLink("Findings", CHECK_REPORT),
      models.length > 0 && choice("Model", names, this.model, (name) => (this.model = name)),
      models.length > 0 && button("Segment all", () => void startJob({ verb: "segment", model: this.model })),
    );
  }

  /** Opens the image where a label helps most. */
  private async openNext(): Promise<void> {
    try {
      const [best] = await get<Suggestion[]>("/next");
      if (!best) return toast("Every image has a label");
      toast(`${best.name}: ${best.why}`);
      location.hash = imageLink(best.name, best.region_px ?? undefined);
    } catch (error) {
      toastError(error);
    }
  }
}
