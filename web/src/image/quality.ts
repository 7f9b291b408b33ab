/** How good the masks that are shown can be expected to be, and what colours of errors mean. */

import { get, predictionPath } from "../api";
import { h, replace } from "../dom";
import { digits } from "../numbers";
import { legend, type Trust } from "../viewer/facts";
import type { OpenImage } from "./open_image";

function expectedIou(trust: Trust): HTMLElement[] {
  const rows: HTMLElement[] = [];
  for (const row of trust.classes) {
    const [value, low, high] = row.iou_percent;
    const range = low !== null && high !== null ? ` (${digits(low)} to ${digits(high)})` : "";
    if (value !== null) rows.push(h("div", {}, `${row.class}: IoU ${digits(value)} % expected${range}`));
  }
  return rows;
}

export class Quality {
  readonly element = h("div", { class: "quiet" });

  /** An answer to an earlier question than the last is dropped. */
  private question = 0;

  constructor(private image: OpenImage) {}

  /** Tells what is known of what is shown: `kind:model`, or `label`. */
  async show(shown: string[]): Promise<void> {
    const model = shown.map((source) => source.split(":")[1]).find((m) => m);
    const path = `${predictionPath(this.image.name, model ?? "")}/trust`;
    const question = ++this.question;
    const trust = model && !shown.some((s) => s.startsWith("version:")) ? await get<Trust>(path).catch(() => null) : null;
    if (question !== this.question) return;
    const errors = shown.some((source) => source.startsWith("errors:"));
    replace(
      this.element,
      ...(errors ? legend() : []),
      ...(trust ? expectedIou(trust) : []),
      trust?.unlike && h("div", { class: "problem" }, "This image is unlike the model's training images."),
    );
  }
}
