/** An image in the gallery: a small picture, its name and its state. */

import { imagePath, type ImageCard } from "./api";
import { h, type Child } from "./dom";
import { imageLink } from "./links";
import { sizeText } from "./viewer/scale_bar";

export function imageCard(card: ImageCard): HTMLElement {
  const picture = h("img", {
    src: `/api${imagePath(card.name)}/small?v=${card.version}`,
    alt: "",
    loading: "lazy",
    width: 220,
    height: 160,
  });
  return h(
    "li",
    { "data-entry": card.name },
    h(
      "a",
      { href: imageLink(card.name) },
      picture,
      h("span", { class: "name" }, card.name),
      h("span", { class: "quiet", title: card.scale_source ?? "" }, sizeText(card)),
    ),
    h("span", { class: "marks" }, ...marks(card)),
  );
}

/** The state of an image in single words. */
function marks(card: ImageCard): Child[] {
  const mark = (kind: string, text: string, title?: string): HTMLElement =>
    h("span", { class: kind ? `mark ${kind}` : "mark", title }, text);
  const unlike = `unlike the training images of ${card.unlike.join(", ")}`;
  return [
    card.labelled ? mark("good", "labelled") : mark("", "open"),
    card.split && mark("", card.split),
    card.predicted.length > 0 && mark("", "predicted", card.predicted.join(", ")),
    card.unlike.length > 0 && mark("warn", "unlike", unlike),
    card.scale_problem && mark("bad", "scale refused", card.scale_problem),
    card.findings.length > 0 && mark("bad", "flagged", card.findings.join("\n")),
  ];
}
