/** The page of measurements: the objects of many images, or one image against a threshold. */

import { button, h, replace } from "../dom";
import type { Page } from "../page";
import { ObjectsPage } from "./objects_page";
import { ThresholdVerdict } from "./threshold_verdict";

type Tab = "objects" | "threshold";

/** Opens the threshold of an image if one is named. */
export function measurePage(image?: string): Page {
  const tabs = h("div", { class: "tabs", role: "tablist" });
  const place = h("div");
  let current: Page | undefined;
  const open = (tab: Tab): void => {
    current?.leave?.();
    current = undefined;
    const tabButton = (which: Tab, text: string): HTMLElement =>
      button(text, () => open(which), { role: "tab", "aria-selected": String(which === tab) });
    replace(tabs, tabButton("objects", "Objects and fields"), tabButton("threshold", "Threshold duel"));
    current = tab === "objects" ? new ObjectsPage() : new ThresholdVerdict(image);
    replace(place, current.element);
  };
  open(image ? "threshold" : "objects");
  const heading = h("h1", { class: "visually-hidden" }, "Measure");
  return { element: h("section", { class: "measure-page" }, heading, tabs, place), leave: () => current?.leave?.() };
}
