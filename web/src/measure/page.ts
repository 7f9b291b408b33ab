/** The page of measurements: the objects of many images, or one image against a threshold. */

import { h } from "../dom";
import { MEASURE_PAGE, thresholdLink } from "../links";
import type { Page } from "../page";
import { tabList } from "../tabs";
import { ObjectsPage } from "./objects_page";
import { firstImage, ThresholdVerdict } from "./threshold_verdict";

/** Opens the threshold of an image if one is named. Each tab has an address of its own. */
export function measurePage(image?: string): Page {
  const current: Page = image ? new ThresholdVerdict(image) : new ObjectsPage();
  const place = h("div", {}, current.element);
  const other = firstImage();
  const tabs = [{ key: "objects", text: "Objects and fields" }];
  if (other) tabs.push({ key: "threshold", text: "Threshold of an image" });
  const open = (key: string): void => {
    keyboardTab = document.activeElement?.getAttribute("role") === "tab";
    location.hash = key === "objects" ? MEASURE_PAGE : thresholdLink(other);
  };
  const list = tabList("What is measured", tabs, image ? "threshold" : "objects", place, open);
  const heading = h("h1", { class: "visually-hidden" }, image ? `Threshold of ${image}` : "Measure objects");
  return {
    element: h("section", { class: "measure-page" }, heading, list, place),
    shown: () => {
      // Who goes through the tabs by keys stays in them.
      if (keyboardTab) list.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
      keyboardTab = false;
    },
    leave: () => current.leave?.(),
  };
}

let keyboardTab = false;
