/** The images to measure, each with a check box. */

import { h, isChecked, replace } from "../dom";

export class ImagePicks {
  readonly element = h("ul", { class: "picks", "aria-label": "Images to measure" });
  chosen = new Set<string>();

  constructor(private changed: () => void) {}

  /** Lists images, all of them chosen. */
  list(names: string[]): void {
    this.chosen = new Set(names);
    replace(this.element, ...names.map((name) => h("li", {}, this.pick(name))));
  }

  private pick(name: string): HTMLElement {
    const change = (event: Event): void => {
      if (isChecked(event)) this.chosen.add(name);
      else this.chosen.delete(name);
      this.changed();
    };
    return h("label", {}, h("input", { type: "checkbox", checked: true, change }), name);
  }
}
