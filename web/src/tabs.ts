/** Tabs: arrows, Home and End move from one to the next; Tab goes on to what the open one shows. */

import { h } from "./dom";

export interface TabInfo {
  key: string;
  text: string;
}

/** `panel` is what the tabs belong to; `open` is called when another tab is chosen. */
export function tabList(label: string, tabs: TabInfo[], chosen: string, panel: HTMLElement, open: (key: string) => void): HTMLElement {
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-label", tabs.find((tab) => tab.key === chosen)?.text ?? label);
  const buttons = tabs.map(({ key, text }) => {
    const here = key === chosen;
    const click = (): void => void (here || open(key));
    return h("button", { type: "button", role: "tab", "aria-selected": String(here), tabindex: here ? 0 : -1, click }, text);
  });
  const keydown = (event: Event): void => {
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = nextTab((event as KeyboardEvent).key, at, buttons.length);
    if (at < 0 || to === null) return;
    event.preventDefault();
    buttons[to].focus();
    if (tabs[to].key !== chosen) open(tabs[to].key);
  };
  return h("div", { class: "tabs", role: "tablist", "aria-label": label, keydown }, ...buttons);
}

/** The tab that a key leads to; null if it leads nowhere. */
export function nextTab(key: string, at: number, count: number): number | null {
  if (key === "ArrowRight" || key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowLeft" || key === "ArrowUp") return (at + count - 1) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}
