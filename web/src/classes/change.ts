/** A changed list of classes, and what it means. */

import type { ClassInfo } from "../api";

export interface ClassRow {
  /** Index of the class that it was; null for a new one. */
  was: number | null;
  name: string;
  color: string;
  /** The row that it becomes part of; null while it stays a class. */
  into: ClassRow | null;
}

export const rowsOf = (classes: ClassInfo[]): ClassRow[] =>
  classes.map(({ name, color }, was) => ({ was, name, color, into: null }));

/** The rows that stay classes. */
export const kept = (rows: ClassRow[]): ClassRow[] => rows.filter((row) => row.into === null);

/** What the server is asked for. */
export function request(rows: ClassRow[]): { classes: object[]; merge: object[] } {
  const list = kept(rows);
  return {
    classes: list.map(({ was, name, color }) => ({ was, name: name.trim(), color })),
    merge: rows.filter((row) => row.into).map(({ was, into }) => ({ was, into: list.indexOf(into!) })),
  };
}

/** What is changed, a sentence each. */
export function sentences(old: ClassInfo[], rows: ClassRow[]): string[] {
  const said: string[] = [];
  for (const row of rows) {
    const before = row.was === null ? null : old[row.was];
    const name = row.name.trim();
    if (row.into) said.push(`${before?.name} becomes part of ${row.into.name.trim()}.`);
    else if (!before) said.push(`${name} is new.`);
    else {
      if (before.name !== name) said.push(`${before.name} is called ${name}.`);
      if (before.color.toLowerCase() !== row.color.toLowerCase()) said.push(`${name} has another colour.`);
    }
  }
  const order = kept(rows).map((row) => row.was).filter((was) => was !== null);
  if (order.some((was, i) => i > 0 && was < order[i - 1])) said.push("The order is another one.");
  return said;
}

/** Why the list cannot be as it is; null if it can. */
export function problem(rows: ClassRow[]): string | null {
  const list = kept(rows).map((row) => row.name.trim());
  if (list.includes("")) return "Every class needs a name.";
  if (list.length < 2) return "There must be two classes or more.";
  const twice = list.find((name, i) => list.indexOf(name) !== i);
  return twice ? `Two classes are called ${twice}.` : null;
}
