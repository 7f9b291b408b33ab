/** The size of the brush, and the grey levels that the threshold brush paints. */

import { h, fieldValue } from "../dom";
import type { Editor } from "../label/editor";
import { digits } from "../numbers";

/** The slider grows with the square, so that small brushes can be set finely. */
const SLIDER_STEPS = 100;
const MOST_RADIUS_PX = 400;

export class BrushSettings {
  private text = h("span", {});
  private size = h("input", {
    type: "range",
    min: 3,
    max: SLIDER_STEPS,
    input: (event) => this.editor.setRadius(MOST_RADIUS_PX * (Number(fieldValue(event)) / SLIDER_STEPS) ** 2),
  });
  readonly radius = h("label", { class: "field" }, this.text, this.size);
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

  private showGreys(): void {
    this.greys.querySelectorAll("input").forEach((input, i) => (input.value = String(this.editor.greys[i])));
  }

  draw(): void {
    const { radius, tool } = this.editor;
    this.text.textContent = `Brush: radius ${digits(radius)} px`;
    // While it is moved, the slider stays where it is.
    if (document.activeElement !== this.size) this.size.value = String(SLIDER_STEPS * Math.sqrt(radius / MOST_RADIUS_PX));
    if (!this.greys.contains(document.activeElement)) this.showGreys();
    this.greys.hidden = tool !== "threshold";
  }
}
