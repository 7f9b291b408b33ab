/** Which images of the gallery are shown, and in which order. */

import type { ImageCard } from "../api";

export interface ListChoices {
  search: string;
  /** One of `filters`. */
  filter: string;
  /** One of `SORTS`. */
  sort: string;
}

type Test = (card: ImageCard) => boolean;

const FILTERS: [string, string, Test][] = [
  ["all", "all images", () => true],
  ["open", "not labelled", (c) => !c.labelled],
  ["labelled", "labelled", (c) => c.labelled],
  ["predicted", "predicted", (c) => c.predicted.length > 0],
  ["unpredicted", "not predicted", (c) => c.predicted.length === 0],
  ["unscaled", "no pixel size", (c) => c.nm_per_px === null],
  ["findings", "with findings", (c) => c.findings.length > 0 || c.unlike.length > 0 || c.scale_problem !== null],
  ["split:", "in no split", (c) => c.split === null],
];

/** Keys and names of the filters; there is one for each split. */
export function filters(splits: string[]): [string, string][] {
  return [
    ...FILTERS.map(([key, text]): [string, string] => [key, text]),
    ...splits.map((split): [string, string] => [`split:${split}`, `split ${split}`]),
  ];
}

function testOf(filter: string): Test {
  const found = FILTERS.find(([key]) => key === filter);
  if (found) return found[2];
  return filter.startsWith("split:") ? (c) => c.split === filter.slice("split:".length) : () => true;
}

export const SORTS: [string, string][] = [
  ["name", "name"],
  ["labelled", "not labelled first"],
  ["split", "split"],
  ["changed", "last changed first"],
];

/** When the file was changed: the first part of its version, a number of base 16. */
const changed = (card: ImageCard): number => parseInt(card.version, 16) || 0;

const ORDERS: Record<string, (a: ImageCard, b: ImageCard) => number> = {
  labelled: (a, b) => Number(a.labelled) - Number(b.labelled),
  // Images of no split come last.
  split: (a, b) => (a.split ?? "\uffff").localeCompare(b.split ?? "\uffff"),
  changed: (a, b) => changed(b) - changed(a),
};

export function listed(cards: ImageCard[], { search, filter, sort }: ListChoices): ImageCard[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const named = (card: ImageCard): boolean => words.every((word) => card.name.toLowerCase().includes(word));
  // The server lists by name, as "next image" goes; images of the same rank keep that order.
  const order = ORDERS[sort] ?? (() => 0);
  return cards.filter(testOf(filter)).filter(named).sort(order);
}
