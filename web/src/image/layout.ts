/** Where the parts of the page of an image lie: the bar above it and the panel beside it. */

import { h, isChecked, type Child } from "../dom";
import { thresholdLink } from "../links";
import type { BrushSettings } from "./brush_settings";
import type { ClassList } from "./class_list";
import type { Comparison } from "./comparison";
import type { DraftPanel } from "./draft_panel";
import type { ObjectFacts } from "./object_facts";
import type { OpenImage } from "./open_image";
import type { Prediction } from "./prediction";
import type { Quality } from "./quality";
import { ScaleLine } from "./scale_line";

/** The bar: neighbours, name, size, and whether the label is saved. */
export function imageBar(image: OpenImage, saveState: HTMLElement): HTMLElement {
  const { info, name } = image;
  const scale = new ScaleLine(image);
  return h(
    "div",
    { class: "image-bar" },
    h("a", { href: image.neighbour(-1), "aria-label": "Previous image", title: "Shift+N" }, "‹"),
    h("h1", {}, name),
    h("a", { href: image.neighbour(1), "aria-label": "Next image", title: "N" }, "›"),
    scale.text,
    scale.toggle,
    info.scale_problem && h("span", { class: "mark bad", title: info.scale_problem }, "scale refused"),
    h("span", { class: "gap" }),
    h("a", { class: "button", href: thresholdLink(name) }, "Compare with a threshold"),
    saveState,
    scale.panel,
  );
}

/** The place of the image itself; it takes the focus, so that arrows move the cursor. */
export function imageStage(image: OpenImage): HTMLElement {
  const label = `${image.name}: arrows move the cursor, Enter uses the tool`;
  return h("div", { class: "views", tabindex: "0", role: "application", "aria-label": label }, image.view.element);
}

export interface PanelParts {
  classes: ClassList;
  brush: BrushSettings;
  drafts: DraftPanel;
  prediction: Prediction;
  comparison: Comparison;
  quality: Quality;
  facts: ObjectFacts;
}

export function imagePanel(image: OpenImage, parts: PanelParts): HTMLElement {
  return h(
    "div",
    { class: "panel" },
    h("h2", {}, "Class"),
    parts.classes.element,
    parts.brush.radius,
    parts.brush.greys,
    h("h2", {}, "Draft"),
    parts.drafts.element,
    parts.prediction.element,
    h("h2", {}, "Look"),
    parts.comparison.lists,
    h("label", { class: "field" }, h("span", {}, "Opacity"), parts.comparison.opacity),
    firstClassCheck(image, parts.comparison),
    parts.quality.element,
    h("h2", {}, "Object"),
    parts.facts.element,
    findings(image),
  );
}

function firstClassCheck(image: OpenImage, comparison: Comparison): HTMLElement {
  const change = (event: Event): void => {
    image.showFirstClass = isChecked(event);
    image.labelLayer.recolour(image.colours());
    void comparison.show();
  };
  return h(
    "label",
    { class: "check" },
    h("input", { type: "checkbox", change, checked: image.showFirstClass }),
    `Show ${image.project.classes[0].name} too`,
  );
}

/** What the check of the data found in this image. */
function findings(image: OpenImage): Child {
  const found = image.card?.findings ?? [];
  return found.length > 0 && h("div", { class: "problem" }, ...found.map((text) => h("p", {}, text)));
}
