/** Parts of forms. */

import { h, isChecked, type Child } from "./dom";

/** A field for a line of text. */
export function text(more: Record<string, string | number>): HTMLInputElement {
  return h("input", { type: "text", ...more });
}

/** A field with its label, and what helps to fill it in. */
export function field(label: string, input: HTMLElement, help?: string): HTMLElement {
  return h("label", { class: "field" }, h("span", {}, label), input, help && h("span", { class: "quiet" }, help));
}

/** Boxes to check, as one group. */
export function checks(label: string, options: [string, string][], chosen: Set<string>): HTMLElement {
  const box = ([key, name]: [string, string]): Child => {
    const change = (event: Event): void => void (isChecked(event) ? chosen.add(key) : chosen.delete(key));
    return h("label", { class: "check" }, h("input", { type: "checkbox", checked: chosen.has(key), change }), name);
  };
  return h("fieldset", { class: "checks" }, h("legend", {}, label), ...options.map(box));
}
