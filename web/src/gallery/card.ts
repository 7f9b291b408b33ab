/** An image in the gallery: a small picture, its name and its state. */

import { imagePath, type ImageCard } from "../api";
import { fieldValue, h, isChecked, replace, type Child } from "../dom";
import { imageLink } from "../links";
import { theProject } from "../project";
import { sizeText } from "../viewer/scale_bar";
import { moveToSplit, splitNames } from "./editing";

/** `select` is called when the image is selected, and when it is not any more. */
export function imageCard(card: ImageCard, selected: boolean, select: (on: boolean) => void): HTMLElement {
  const picture = h("img", {
    src: `/api${imagePath(card.name)}/small?v=${card.version}`,
    alt: "",
    loading: "lazy",
    width: 220,
    height: 160,
  });
  const check = { type: "checkbox", checked: selected, "aria-label": `Select ${card.name}` };
  return h(
    "li",
    { "data-entry": card.name },
    h(
      "a",
      { href: imageLink(card.name) },
      picture,
      h("span", { class: "name" }, card.name),
      h("span", { class: "quiet" }, sizeText(card)),
      card.scale_source && h("span", { class: "quiet source", title: card.scale_source }, `from ${card.scale_source}`),
    ),
    h(
      "span",
      { class: "marks" },
      h("input", { ...check, change: (event) => select(isChecked(event)) }),
      ...marks(card),
      splitChip(card),
    ),
  );
}

/** The state of an image in single words. */
function marks(card: ImageCard): Child[] {
  const mark = (kind: string, text: string, title?: string): HTMLElement =>
    h("span", { class: kind ? `mark ${kind}` : "mark", title }, text);
  const unlike = `unlike the training images of ${card.unlike.join(", ")}`;
  return [
    card.labelled ? mark("good", "labelled") : mark("", "not labelled"),
    card.predicted.length > 0 && mark("", "predicted", card.predicted.join(", ")),
    card.unlike.length > 0 && mark("warn", "unlike", unlike),
    card.scale_problem && mark("bad", "scale refused", card.scale_problem),
    card.findings.length > 0 && mark("bad", "findings", card.findings.join("\n")),
  ];
}

/** The split of an image; another one can be chosen. */
function splitChip(card: ImageCard): HTMLElement {
  const here = card.split ?? "";
  const option = (split: string): HTMLElement =>
    h("option", { value: split, selected: split === here }, split || "no split");
  const chip = h("select", { class: "mark", "aria-label": `Split of ${card.name}` }, option(here));
  // Hundreds of cards are drawn sooner when only the list that is used has all its options.
  const fill = (): void => replace(chip, ...["", ...splitNames(theProject().splits)].map(option));
  chip.addEventListener("focus", fill, { once: true });
  chip.addEventListener("change", (event) => void moveToSplit(fieldValue(event) || null, [card.name]));
  return chip;
}
