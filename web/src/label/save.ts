/** Saves a label without being asked, and never over what somebody else has saved meanwhile. */

import { getMap, imagePath, putLabel, Refused } from "../api";
import { toast } from "../messages";
import { listen } from "../server_events";

export type SaveState = "saved" | "changed" | "saving" | "conflict" | "failed";

/** From the last stroke to the save. */
const WAIT_MS = 600;

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
  const found = unsaved.get(name);
  unsaved.delete(name);
  return found;
}

export class Saver {
  state: SaveState = "saved";
  private timer = 0;
  private running: Promise<void> | null = null;
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
  changed(): void {
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

  private async send(): Promise<void> {
    const copy = this.data().slice();
    this.setState("saving");
    try {
      this.revision = await putLabel(this.name, copy, this.revision);
      // Strokes drawn while it was sent have changed the state: they are still to be saved.
      if (this.state === "saving") this.setState("saved");
    } catch (error) {
      const conflict = error instanceof Refused && error.status === 412;
      const changed = error instanceof Refused ? error.changed : undefined;
      this.setState(conflict ? "conflict" : "failed", (error as Error).message, changed);
    }
  }

  /** Saves our label in place of the one that somebody else saved. */
  async overwrite(): Promise<void> {
    this.revision = (await getMap(`${imagePath(this.name)}/label`)).revision;
    this.setState("changed");
    await this.save();
  }

  /** Tries again after a failure. */
  retry(): void {
    this.setState("changed");
    void this.save();
  }

  /** The image is left. A label that cannot be saved is kept until the image is opened again. */
  close(): void {
    this.stopListening();
    window.removeEventListener("beforeunload", this.warnBeforeClosing);
    const saving = this.save().then(() => {
      leaving.delete(this.name);
      if (this.state === "saved") return;
      unsaved.set(this.name, this.data().slice());
      toast(`${this.name}: your last strokes are not saved. Open the image again before you close the page.`, true);
    });
    leaving.set(this.name, saving);
  }
}
