/** Short functions that make elements and read them. */

import { keepFocus } from "./focus";
import { scroller } from "./scroller";

type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;
export type Child = Node | string | null | undefined | false;

/** Makes an element. An attribute that is a function is called at the event of its name. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  put(element, ...children);
  return element;
}

function put(element: Element, ...children: Child[]): void {
  for (const child of children) if (child !== null && child !== undefined && child !== false) element.append(child);
}

/** Replaces what is in an element. Children that are null, undefined or false are left out. A control that had the focus
 *  gives it to the new one that stands for the same, so that nobody who uses the keyboard loses their place. */
export function replace(element: Element, ...children: Child[]): void {
  const giveBack = keepFocus(element);
  element.replaceChildren();
  put(element, ...children);
  giveBack();
}

/** A drop-down list with a label; the options are pairs of value and text. */
export function choice(
  label: string,
  options: [string, string][],
  chosen: string,
  change: (value: string) => void,
): HTMLElement {
  const id = `choice-${++choices}`;
  const select = h("select", { id, change: (e) => change(fieldValue(e)) });
  for (const [value, text] of options) select.append(h("option", { value, selected: value === chosen }, text));
  return h("div", { class: "field" }, h("label", { for: id }, label), select);
}

/** So many lists were made: each needs an id of its own. */
let choices = 0;

/** Options of a drop-down list whose values are their texts too. */
export const sameOptions = (names: string[]): [string, string][] => names.map((name) => [name, name]);

/** A link that looks like a button and opens a page of its own. */
export function newTabLink(text: string, href: string): HTMLAnchorElement {
  return h("a", { class: "button", href, target: "_blank", rel: "noopener" }, text);
}

export function button(text: string, click: () => void, more: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", click: () => click(), ...more }, text);
}

/** A table; its cells with numbers are aligned to the right. Where it is wider than its place, it is moved sideways. */
export function table(caption: string, heads: Child[], rows: (Child | number)[][]): HTMLElement {
  const cell = (value: Child | number) =>
    typeof value === "number" ? h("td", { class: "number" }, String(value)) : h("td", {}, value);
  const body = h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
  );
  return scroller(caption, body);
}

/** The value of the field that an event comes from. */
export const fieldValue = (event: Event): string => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** Whether the check box that an event comes from is checked. */
export const isChecked = (event: Event): boolean => (event.target as HTMLInputElement).checked;
