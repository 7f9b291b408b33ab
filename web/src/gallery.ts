/** All images with their state, and what can be done with all of them. */

import { get, upload, type ImageCard } from "./api";
import { button, choice, h, newTabLink, replace, sameOptions } from "./dom";
import { imageCard } from "./image_card";
import { startJob } from "./jobs";
import { CHECK_REPORT, imageLink } from "./links";
import { toast, toastError } from "./messages";
import type { Page } from "./page";
import { reload, theProject } from "./project";
import { keepPlace, showPlace } from "./scroll_place";
import { listen } from "./server_events";

/** An image to label next. */
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

export class Gallery implements Page {
  readonly element: HTMLElement;
  private stopListening: () => void;
  private filter = "all";
  /** The model that segments all images. */
  private model = "";
  private grid = h("ul", { class: "gallery", "aria-label": "Images" });
  private count = h("span", { class: "quiet" });
  /** What there is only after a check, or a training. */
  private more = h("span", { class: "toolbar" });

  /** `refresh` opens the page again. */
  constructor(private refresh: () => void) {
    const heading = h("h1", { class: "visually-hidden" }, "Images");
    this.element = h("section", {}, heading, this.toolbar(), this.grid);
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
    this.drawImages();
    this.drawMore();
  }

  private toolbar(): HTMLElement {
    const filters = Object.entries(FILTERS).map(([key, [text]]): [string, string] => [key, text]);
    const next = { class: "primary", title: "The image where a label would help most" };
    return h(
      "div",
      { class: "toolbar" },
      choice("Show", filters, this.filter, (key) => {
        this.filter = key;
        this.drawImages();
      }),
      this.count,
      h("span", { class: "gap" }),
      button("Label next", () => void this.openNext(), next),
      button("Check the data", () => void startJob({ verb: "check" })),
      this.more,
      this.uploadButton(),
    );
  }

  private uploadButton(): HTMLElement {
    const input = h("input", {
      type: "file",
      multiple: true,
      class: "hidden-input",
      accept: ".png,.tif,.tiff,.jpg,.jpeg,.bmp",
      change: () => void this.upload(input.files),
    });
    return h("label", { class: "button" }, "Add images", input);
  }

  private drawImages(): void {
    const { images } = theProject();
    const cards = images.filter(FILTERS[this.filter][1]);
    const labelled = images.filter((card) => card.labelled).length;
    this.count.textContent = `${cards.length} shown · ${labelled} of ${images.length} labelled`;
    replace(this.grid, ...cards.map(imageCard));
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

  private async upload(files: FileList | null): Promise<void> {
    for (const file of files ?? []) {
      try {
        await upload(file);
      } catch (error) {
        toast(`${file.name}: ${(error as Error).message}`, true);
      }
    }
    this.refresh();
  }
}
