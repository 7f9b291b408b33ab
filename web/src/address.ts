/** The address of a view, and the title that names it in tabs and in the history. */

import { theProject } from "./project";

export interface Address {
  view: "images" | "image" | "train" | "measure" | "routine" | "classes" | "jobs";
  /** The image, the run or the lot. */
  item: string | undefined;
}

/** Views that need no name. */
const OTHERS = ["train", "measure", "routine", "classes", "jobs"] as const;

/** The text itself where it is no valid code. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function addressOf(hash: string): Address {
  const [, view, item] = hash.split("/").map(decoded);
  if (view === "image" && item) return { view, item };
  const known = OTHERS.find((other) => other === view);
  if (known) return { view: known, item: item || undefined };
  return { view: "images", item: undefined };
}

/** What a view shows, in words. */
function viewName({ view, item }: Address): string {
  if (view === "image") return item ?? "";
  if (view === "train") return item ? `Run ${item}` : "Train";
  if (view === "measure") return item ? `Threshold of ${item}` : "Measure objects";
  if (view === "routine") return item ? `Lot ${item}` : "Routine";
  if (view === "classes") return "Classes";
  return view === "jobs" ? "Jobs" : "Images";
}

export function titleOf(address: Address, project: string): string {
  return `${viewName(address)} - ${project} - Sorby`;
}

/** The view that is open has chosen what it shows: its address says so, and the way back stays as it is. */
export function nameView(hash: string): void {
  history.replaceState(history.state, "", hash);
  document.title = titleOf(addressOf(hash), theProject().name);
}
