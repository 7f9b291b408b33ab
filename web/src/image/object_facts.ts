/** The object that was clicked: its outline in the image and its measurements in the panel. */

import { get, imagePath, type ParticleObject, type Span } from "../api";
import { h, replace } from "../dom";
import { toastError } from "../messages";
import { objectTable } from "../viewer/facts";
import { outline, type Mark, type Point } from "../viewer/view";
import type { OpenImage } from "./open_image";

interface Found {
  object: ParticleObject | null;
  class: number;
  spans: Span[];
  nm_per_px: number | null;
}

export class ObjectFacts {
  readonly element = h("div", { class: "about" });
  private outline: Mark | null = null;
  /** An answer to an earlier click than the last is dropped. */
  private question = 0;

  constructor(
    private image: OpenImage,
    /** The model whose mask is measured; null for the label. */
    private maskModel: () => string | null,
    private saveLabel: () => Promise<void>,
  ) {
    image.view.marks.push((context, at) => this.outline?.(context, at));
    this.show(null);
  }

  async measure(at: Point): Promise<void> {
    const model = this.maskModel() ?? "labels";
    const place = `of=${encodeURIComponent(model)}&x=${Math.floor(at.x)}&y=${Math.floor(at.y)}`;
    const question = ++this.question;
    // The server measures the label in the file.
    if (model === "labels") await this.saveLabel();
    try {
      const found = await get<Found>(`${imagePath(this.image.name)}/object?${place}`);
      if (question !== this.question) return;
      this.show(found);
      this.image.view.draw();
    } catch (error) {
      toastError(error);
    }
  }

  private show(found: Found | null): void {
    if (found?.object) {
      this.outline = outline(found.spans, "#ffffff");
      const name = this.image.project.classes[found.class].name;
      replace(this.element, objectTable(found.object, name, found.nm_per_px));
    } else {
      this.outline = null;
      replace(this.element, h("p", { class: "quiet" }, "Click an object for its measurements."));
    }
  }
}
