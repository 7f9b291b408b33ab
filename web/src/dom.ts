/** Short functions that make elements, messages and numbers for people. */

type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;
export type Child = Node | string | null | undefined | false;

/** An element; attributes that are functions listen to the event of their name. */
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

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  put(element, ...children);
}

/** A drop-down list of [value, text]. */
export function choice(
  label: string,
  options: [string, string][],
  chosen: string,
  change: (value: string) => void,
): HTMLElement {
  const id = `choice-${++choices}`;
  const select = h("select", { id, change: (e) => change(valueOf(e)) });
  for (const [value, text] of options) select.append(h("option", { value, selected: value === chosen }, text));
  return h("div", { class: "field" }, h("label", { for: id }, label), select);
}

let choices = 0;

export function button(text: string, click: () => void, more: Attributes = {}): HTMLButtonElement {
  return h("button", { type: "button", click: () => click(), ...more }, text);
}

/** A table of rows under heads; numbers to the right. */
export function table(caption: string, heads: string[], rows: (Child | number)[][]): HTMLTableElement {
  const cell = (value: Child | number) =>
    typeof value === "number" ? h("td", { class: "number" }, String(value)) : h("td", {}, value);
  return h(
    "table",
    {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
  );
}

/** Tells something at the bottom of the page, politely to screen readers too. */
export function toast(text: string, bad = false): void {
  let place = document.getElementById("toasts");
  if (!place) {
    place = h("div", { id: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const note = h("div", { class: bad ? "toast bad" : "toast" }, text);
  place.append(note);
  setTimeout(() => note.remove(), bad ? 9000 : 3500);
}

/** Tells why something failed. */
export function toastError(error: unknown): void {
  toast((error as Error).message, true);
}

/** The value of the field that an event comes from. */
export const valueOf = (event: Event): string => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** Whether the check box that an event comes from is checked. */
export const isChecked = (event: Event): boolean => (event.target as HTMLInputElement).checked;

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-";
  const s = Math.round(seconds);
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** A number with as many digits as mean something. */
export function digits(value: number | null | undefined, count = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return Number(value.toPrecision(count)).toString();
}
