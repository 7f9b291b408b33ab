/** Saves a label without being asked, and never over what somebody else has saved meanwhile. */

import { getLabel, putLabel, Refused, type By } from "../api";
import { toast } from "../messages";
import { listen } from "../server_events";
import { keep, mark, saved, type Drawn } from "./journal";

export type SaveState = "saved" | "changed" | "saving" | "conflict" | "failed";

/** From the last stroke to the save. */
const WAIT_MS = 600;
/** After a server that did not answer. */
const AGAIN_MS = 5000;

/** Labels that could not be saved when their image was left, by image. */
const unsaved = new Map<string, Uint8Array>();
/** Saves of images that were left, not finished yet, by image. */
const leaving = new Map<string, Promise<void>>();

window.addEventListener("beforeunload", (event) => {
  if (unsaved.size || leaving.size) event.preventDefault();
});

/** Waits until the strokes on an image that was left are saved; gives the label if that failed. */
export async function leftover(name: string): Promise<Uint8Array | undefined> {
  await leaving.get(name);
  return unsaved.get(name);
}

/** The label that could not be saved is in an editor again. */
export const forgetLeftover = (name: string): boolean => unsaved.delete(name);

export class Saver {
  state: SaveState = "saved";
  private timer = 0;
  /** What made the changes that are not saved yet. */
  private by: By = "strokes";
  private running: Promise<void> | null = null;
  /** A label that was sent and not answered: the server may have it all the same. */
  private unanswered: Uint8Array | null = null;
  private stopListening: () => void;

  constructor(
    private name: string,
    private data: () => Uint8Array,
    public revision: string,
    private onState: (state: SaveState, why?: string, changed?: Refused["changed"]) => void,
    /** Somebody else has saved this label, and nothing of ours is unsaved. */
    private onOtherSave: () => void,
  ) {
    this.stopListening = listen((event) => {
      if (event.kind === "back" && this.state === "failed") this.retry();
      if (event.kind !== "label" || event.name !== name || event.revision === this.revision) return;
      if (this.state === "saved" && !this.running) this.onOtherSave();
    });
    window.addEventListener("beforeunload", this.warnBeforeClosing);
  }

  private warnBeforeClosing = (event: BeforeUnloadEvent): void => {
    if (this.state !== "saved") event.preventDefault();
  };

  private setState(state: SaveState, why?: string, changed?: Refused["changed"]): void {
    this.state = state;
    this.onState(state, why, changed);
  }

  /** The label has changed: it is saved soon. */
  changed(by: By, drawn: Drawn): void {
    keep(`label/${this.name}`, this.revision, drawn);
    // Of a draft and strokes on it, the draft is what the server has to know of.
    if (by !== "strokes") this.by = by;
    if (this.state !== "conflict") this.setState("changed");
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), WAIT_MS);
  }

  /** Saves now what is not saved yet. */
  async save(): Promise<void> {
    clearTimeout(this.timer);
    if (this.running) await this.running;
    if (this.state !== "changed") return;
    this.running = this.send();
    await this.running;
    this.running = null;
  }

  /** Saves until nothing is unsaved; gives whether that succeeded. */
  async flush(): Promise<boolean> {
    do await this.save();
    while (this.running || this.state === "changed");
    return this.state === "saved";
  }

  /** The label in the editor is now that of a revision of the file. */
  loaded(revision: string): void {
    clearTimeout(this.timer);
    this.revision = revision;
    this.by = "strokes";
    this.unanswered = null;
    saved(`label/${this.name}`, mark(), revision);
    this.setState("saved");
  }

  private async send(): Promise<void> {
    const copy = this.data().slice();
    const { by } = this;
    const held = mark();
    this.by = "strokes";
    this.setState("saving");
    try {
      this.revision = await this.put(copy, by);
      saved(`label/${this.name}`, held, this.revision);
      // Strokes drawn while it was sent have changed the state: they are still to be saved.
      if (this.state === "saving") this.setState("saved");
    } catch (error) {
      if (this.by === "strokes") this.by = by;
      if (error instanceof Refused && error.status === 0) this.tryLater();
      const conflict = error instanceof Refused && error.status === 412;
      const changed = error instanceof Refused ? error.changed : undefined;
      this.setState(conflict ? "conflict" : "failed", (error as Error).message, changed);
    }
  }

  private async put(copy: Uint8Array, by: By): Promise<string> {
    try {
      const revision = await putLabel(this.name, copy, this.revision, by);
      this.unanswered = null;
      return revision;
    } catch (error) {
      const { status, changed } = error instanceof Refused ? error : { status: -1, changed: undefined };
      if (status === 0) this.unanswered ??= copy;
      if (status !== 412 || changed !== "label" || !this.unanswered) throw error;
      // What "another" has saved may be what we sent before the server was gone.
      const now = await getLabel(this.name);
      const ours = this.unanswered;
      this.unanswered = null;
      if (!now.data.every((value, i) => value === ours[i])) throw error;
      return putLabel(this.name, copy, now.revision, by);
    }
  }

  /** Saves our label in place of the one that somebody else saved. */
  async overwrite(): Promise<void> {
    this.revision = (await getLabel(this.name)).revision;
    this.setState("changed");
    await this.save();
  }

  private tryLater(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.state === "failed" && this.retry(), AGAIN_MS);
  }

  /** Tries again after a failure. */
  retry(): void {
    this.setState("changed");
    void this.save();
  }

  /** The image is left. What is not saved is sent until the server takes it, or the image is opened again. */
  close(): void {
    this.stopListening();
    window.removeEventListener("beforeunload", this.warnBeforeClosing);
    this.sendOn();
  }

  private sendOn(): void {
    leaving.set(
      this.name,
      this.flush().then(() => {
        clearTimeout(this.timer);
        leaving.delete(this.name);
        this.settle();
      }),
    );
  }

  /** Says what became of a label whose image was left, and keeps it if it is not saved. */
  private settle(): void {
    const { name } = this;
    const told = unsaved.has(name);
    if (this.state === "saved") {
      if (unsaved.delete(name)) toast(`${name}: your last strokes are saved now`);
      return;
    }
    const kept = this.data().slice();
    unsaved.set(name, kept);
    if (!told) toast(`${name}: your last strokes are not saved. Keep this page open, or open the image again.`, true);
    if (this.state !== "failed") return;
    setTimeout(() => {
      // The image was opened again: its page has the strokes now.
      if (unsaved.get(name) !== kept) return;
      this.state = "changed";
      this.sendOn();
    }, AGAIN_MS);
  }
}
