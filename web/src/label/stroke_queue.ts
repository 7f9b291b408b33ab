/** Strokes on their way to the server, by image. They wait here until it has them, whatever page is open. */

import { Refused } from "../api";

/** From the last stroke to the save. */
const WAIT_MS = 600;
/** After a server that did not answer. */
const AGAIN_MS = 5000;

interface Waiting {
  strokes: () => Uint8Array;
  timer: ReturnType<typeof setTimeout> | undefined;
  sending: boolean;
  /** Strokes were drawn while the others were sent. */
  more: boolean;
  /** Why the last save failed. */
  problem: string | null;
}

export class StrokeQueue {
  private waiting = new Map<string, Waiting>();
  private listeners = new Set<() => void>();

  constructor(private send: (name: string, strokes: Uint8Array) => Promise<void>) {}

  get empty(): boolean {
    return this.waiting.size === 0;
  }

  /** The strokes of an image that the server does not have yet. */
  unsaved(name: string): Uint8Array | undefined {
    return this.waiting.get(name)?.strokes().slice();
  }

  /** "saved", "waiting", or why the last save failed. */
  state(name: string): string {
    const entry = this.waiting.get(name);
    return entry ? (entry.problem ?? "waiting") : "saved";
  }

  /** Calls `listener` when a state has changed, until the returned function is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The strokes of an image have changed: they are sent soon. */
  changed(name: string, strokes: () => Uint8Array): void {
    const entry = this.waiting.get(name);
    if (entry) Object.assign(entry, { strokes, more: entry.sending });
    else this.waiting.set(name, { strokes, timer: undefined, sending: false, more: false, problem: null });
    this.later(name, WAIT_MS);
    this.tell();
  }

  private later(name: string, ms: number): void {
    const entry = this.waiting.get(name)!;
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => void this.sendNow(name), ms);
  }

  /** Sends all that waits. */
  sendAll(): void {
    for (const name of this.waiting.keys()) void this.sendNow(name);
  }

  async sendNow(name: string): Promise<void> {
    const entry = this.waiting.get(name);
    if (!entry || entry.sending) return;
    clearTimeout(entry.timer);
    entry.sending = true;
    entry.more = false;
    try {
      await this.send(name, entry.strokes().slice());
      entry.problem = null;
      if (!entry.more) this.waiting.delete(name);
    } catch (error) {
      entry.problem = (error as Error).message;
      // What is refused once is refused again; what was not answered is asked again.
      const refused = error instanceof Refused && error.status >= 400 && error.status < 500;
      if (!refused) this.later(name, AGAIN_MS);
    }
    entry.sending = false;
    if (entry.more) this.later(name, WAIT_MS);
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
