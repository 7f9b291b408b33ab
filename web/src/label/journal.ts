/** Keeps in the browser what is drawn until the server has it, so that strokes outlive a page that is killed. */

import { theProject } from "../project";

/** Runs of pixels: the start and the length of each, and the value that it got. */
export interface Drawn {
  runs: Int32Array;
  values: Uint8Array;
}

/** What a page that is gone has left of a map. */
export interface Left {
  /** The state of the file that it was drawn on. */
  base: string;
  drawn: Drawn[];
  /** What is left is in other hands now. */
  forget: () => void;
}

/** Where pixels are kept: the label of an image, or the strokes of its drafts. */
export type Place = `${"label" | "strokes"}/${string}`;

const STORE = "drawn";
/** How long a page that is being closed may take to go. */
const GONE_MS = 500;
/** What is kept is deleted after this time, wanted or not. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

const self = typeof crypto.randomUUID === "function" ? crypto.randomUUID() : "";
// Web Locks say which pages are gone. Browsers have them on this machine and under https, not under http elsewhere.
const usable = self !== "" && typeof indexedDB !== "undefined" && "locks" in navigator;
const lockOf = (page: string): string => `sorby-page-${page}`;
if (usable) void navigator.locks.request(lockOf(self), () => new Promise(() => undefined));

let opened: Promise<IDBDatabase> | null = null;
/** Of the last change that was kept; a save holds all up to one. */
let number = 0;
/** The last change of each place that is not saved. */
const last = new Map<Place, number>();

const answer = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("sorby", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return answer(request);
}

/** A browser that keeps nothing (a full disk, a private window) takes no work away: the server has it soon. */
function write(change: (store: IDBObjectStore) => void): void {
  if (!usable) return;
  opened ??= open();
  opened.then((database) => change(database.transaction(STORE, "readwrite").objectStore(STORE))).catch(() => undefined);
}

/** Keys are [place, page, number]; number 0 holds the state of the file that was drawn on. */
const rootOf = (place: Place): string => `${theProject().root}\n${place}`;
const all = (place: Place, page: string, upTo = Infinity): IDBKeyRange =>
  IDBKeyRange.bound([rootOf(place), page, 0], [rootOf(place), page, upTo]);

/** Keeps what was drawn on a state of the file. */
export function keep(place: Place, base: string, drawn: Drawn): void {
  const key = [rootOf(place), self, ++number];
  last.set(place, number);
  write((store) => {
    store.put({ base, time: Date.now() }, [key[0], self, 0]);
    store.put(drawn, key);
  });
}

/** What a save that begins now holds. */
export const mark = (): number => number;

/** The server has all up to a mark; what was drawn since then is drawn on the new state `base`. */
export function saved(place: Place, upTo: number, base: string): void {
  const more = (last.get(place) ?? 0) > upTo;
  write((store) => {
    store.delete(all(place, self, upTo));
    if (more) store.put({ base, time: Date.now() }, [rootOf(place), self, 0]);
  });
}

/** What pages that are gone have left of a place. */
export async function left(place: Place): Promise<Left[]> {
  if (!usable) return [];
  try {
    opened ??= open();
    const store = (await opened).transaction(STORE).objectStore(STORE);
    const range = IDBKeyRange.bound([rootOf(place)], [rootOf(place), []]);
    const [keys, values] = await Promise.all([answer(store.getAllKeys(range)), answer(store.getAll(range))]);
    const pages = [...new Set(keys.map((key) => (key as string[])[1]))].filter((page) => page !== self);
    const gone = await Promise.all(pages.map(isGone));
    return pages.filter((_, i) => gone[i]).flatMap((page) => {
      const [head, ...drawn] = values.filter((_, i) => (keys[i] as string[])[1] === page) as [{ base: string; time: number }, ...Drawn[]];
      const forget = (): void => write((store) => void store.delete(all(place, page)));
      if (drawn.length && Date.now() - head.time < KEPT_MS) return [{ base: head.base, drawn, forget }];
      forget();
      return [];
    });
  } catch {
    return [];
  }
}

/** A page holds its lock as long as it lives. */
function isGone(page: string): Promise<boolean> {
  const signal = AbortSignal.timeout(GONE_MS);
  return navigator.locks.request(lockOf(page), { signal }, () => true).catch(() => false);
}

/** Draws into a map what was drawn. */
export function redraw(data: Uint8Array, { runs, values }: Drawn): void {
  values.forEach((value, i) => data.fill(value, runs[2 * i], runs[2 * i] + runs[2 * i + 1]));
}

/** Whether a map has been drawn on as far as `drawn` says: all of it, or its first steps. */
export function has(data: Uint8Array, drawn: Drawn[]): boolean {
  const now = data.slice();
  const touched = new Set<number>();
  return drawn.some((step) => {
    redraw(now, step);
    step.values.forEach((_, i) => {
      for (let p = step.runs[2 * i]; p < step.runs[2 * i] + step.runs[2 * i + 1]; p++) touched.add(p);
    });
    return [...touched].every((p) => now[p] === data[p]);
  });
}

/** The pixels of rows from `start` on that differ from what they were. */
export function difference(before: Uint8Array, now: Uint8Array, start: number): Drawn {
  const runs: number[] = [];
  const values: number[] = [];
  for (let i = 0; i < now.length; ) {
    let end = i + 1;
    if (now[i] !== before[i]) {
      while (end < now.length && now[end] === now[i] && before[end] !== now[end]) end++;
      runs.push(start + i, end - i);
      values.push(now[i]);
    }
    i = end;
  }
  return { runs: Int32Array.from(runs), values: Uint8Array.from(values) };
}
