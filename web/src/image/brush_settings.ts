/** The size of the brush, and the grey levels that the threshold brush paints. */

import { h, replace, fieldValue } from "../dom";
import type { Editor } from "../label/editor";
import { digits } from "../numbers";

export class BrushSettings {
  readonly radius = h("span", { class: "quiet" });
  readonly greys: HTMLElement;

  constructor(private editor: Editor) {
    this.greys = h(
      "div",
      { class: "field", hidden: true },
      h("span", {}, "Grey levels painted"),
      this.slider(0, "Darkest grey painted"),
      this.slider(1, "Brightest grey painted"),
    );
  }

  private slider(index: 0 | 1, label: string): HTMLElement {
    const { greys } = this.editor;
    return h("input", {
      type: "range",
      min: 0,
      max: 255,
      value: greys[index],
      "aria-label": label,
      input: (event) => (greys[index] = Number(fieldValue(event))),
    });
  }

  draw(): void {
    replace(this.radius, h("span", {}, `Brush ${digits(this.editor.radius)} px`));
    this.greys.hidden = this.editor.tool !== "threshold";
  }
}
