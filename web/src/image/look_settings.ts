/** How the image and its mask look: edges only, brightness, contrast. Pixels are not changed by it. */

import { button, fieldValue, h, isChecked } from "../dom";
import type { Comparison } from "./comparison";

export class LookSettings {
  brightness_percent = 100;
  contrast_percent = 100;
  readonly element = h("div");
  private outline = h("input", { type: "checkbox", change: (event) => this.setOutline(isChecked(event)) });
  private brightness = this.slider((value) => (this.brightness_percent = value));
  private contrast = this.slider((value) => (this.contrast_percent = value));

  constructor(
    private comparison: Comparison,
    private stage: HTMLElement,
  ) {
    const field = (name: string, input: HTMLElement): HTMLElement =>
      h("label", { class: "field" }, h("span", {}, name), input);
    this.element.append(
      h("label", { class: "check" }, this.outline, "Outlines only"),
      field("Brightness of the image", this.brightness),
      field("Contrast of the image", this.contrast),
      button("As in the file", () => this.set(this.comparison.outlineOnly, 100, 100)),
    );
  }

  private slider(set: (value: number) => void): HTMLInputElement {
    const input = (event: Event): void => {
      set(Number(fieldValue(event)));
      this.show();
    };
    return h("input", { type: "range", min: 20, max: 400, value: 100, input });
  }

  set(outlineOnly: boolean, brightness_percent: number, contrast_percent: number): void {
    Object.assign(this, { brightness_percent, contrast_percent });
    this.outline.checked = outlineOnly;
    this.brightness.value = String(brightness_percent);
    this.contrast.value = String(contrast_percent);
    this.setOutline(outlineOnly);
    this.show();
  }

  private setOutline(on: boolean): void {
    this.comparison.outlineOnly = on;
    this.comparison.style();
  }

  private show(): void {
    const { brightness_percent: b, contrast_percent: c } = this;
    const filter = b === 100 && c === 100 ? "none" : `brightness(${b}%) contrast(${c}%)`;
    this.stage.style.setProperty("--image-filter", filter);
  }
}
