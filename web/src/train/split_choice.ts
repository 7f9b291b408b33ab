/** Which images a training learns from and is validated on, and which choices cannot work. */

import type { ImageCard } from "../api";

/** Stands for all labelled images. */
export const ALL = "all";

/** The labelled images of a split; null where the cards do not say it (a fold). */
export function labelledOf(split: string, cards: ImageCard[]): ImageCard[] | null {
  const labelled = cards.filter((card) => card.labelled);
  if (split === ALL) return labelled;
  if (!cards.some((card) => card.split === split)) return null;
  return labelled.filter((card) => card.split === split);
}

/** Whether an image can be in both: what is learned from shows nothing when it is validated on. */
export const overlap = (train: string, val: string): boolean => val !== "" && (train === val || train === ALL || val === ALL);

/** What a training of these splits does with the labelled images, in a sentence. */
export function splitSentence(train: string, val: string, cards: ImageCard[]): string {
  const labelled = cards.filter((card) => card.labelled).length;
  const learned = labelledOf(train, cards)?.length;
  const validated = val === "" ? 0 : labelledOf(val, cards)?.length;
  const first = learned === undefined ? `The labelled images of ${train}` : `${learned} of ${labelled} labelled images`;
  const second = validated === undefined ? `those of ${val}` : validated === 0 ? "none" : `${validated}`;
  const left = labelled - (learned ?? labelled) - (validated ?? 0);
  const rest = left > 0 ? ` ${left} in no chosen split ${left === 1 ? "is" : "are"} left out.` : "";
  return `${first} will be learned from, ${second} validated on.${rest}`;
}

/** Why a training of these splits cannot begin; null if it can. */
export function whyNot(train: string, val: string, cards: ImageCard[]): string | null {
  if (!cards.some((card) => card.labelled)) return "There is no labelled image yet: draw a label first.";
  if (labelledOf(train, cards)?.length === 0) return `No image of ${train} has a label.`;
  if (overlap(train, val)) return "An image that is learned from cannot be validated on: choose another split.";
  if (val && labelledOf(val, cards)?.length === 0) return `No image of ${val} has a label.`;
  return null;
}

/** Why a run cannot have this name; null if it can. */
export function nameProblem(name: string, taken: string[]): string | null {
  const text = name.trim();
  if (!/^[\p{L}\p{N}\-_ .]{1,80}$/u.test(text) || text.startsWith("."))
    return "A name has 1 to 80 letters, digits, spaces, hyphens, underscores or points, and does not begin with a point.";
  if (text === "labels") return "The name labels stands for the labels: choose another.";
  return taken.includes(text) ? `There is a run ${text} already.` : null;
}
