/** The drop-down list of the class that is measured. */

import { choice } from "../dom";
import { theProject } from "../project";

/** The class that is chosen at first: the first one that is no background. */
export const firstObjectClass = (): number => Math.min(1, theProject().classes.length - 1);

export function classChoice(chosen: number, change: (index: number) => void): HTMLElement {
  const names = theProject().classes.map((c, i): [string, string] => [String(i), c.name]);
  return choice("Class", names, String(chosen), (value) => change(Number(value)));
}
