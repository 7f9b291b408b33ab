/** Saves a label by itself, and never over what somebody else has saved meanwhile. */

import { getMap, imagePath, listen, putLabel, Refused } from "../api";
import { toast } from "../dom";

export type SaveState = "saved" | "changed" | "saving" | "conflict" | "failed";

const WAIT_MS = 600;

/** Labels that could not be saved when their image was left, by image. */
const unsaved = new Map<string, Uint8Array>();
/** Saves that are on their way, by image. */
const leaving = new Map<string, Promise<void>>();

window.addEventListener("beforeunload", (event) => {
  if (unsaved.size || leaving.size) event.preventDefault();
});

/** Waits until what was drawn on an image is saved; gives what could not be. */
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
  private deaf: () => void;

  constructor(
    private name: string,
    private data: () => Uint8Array,
    public revision: string,
    private told: (state: SaveState, why?: string, changed?: Refused["changed"]) => void,
    /** Somebody else saved, and nothing of ours is unsaved. */
    private changedElsewhere: () => void,
  ) {
    this.deaf = listen((event) => {
      if (event.kind !== "label" || event.name !== name || event.revision === this.revision) return;
      if (this.state === "saved" && !this.running) this.changedElsewhere();
    });
    window.addEventListener("beforeunload", this.hold);
  }

  private hold = (event: BeforeUnloadEvent): void => {
    if (this.state !== "saved") event.preventDefault();
  };

  private tell(state: SaveState, why?: string, changed?: Refused["changed"]): void {
    this.state = state;
    this.told(state, why, changed);
  }

  changed(): void {
    if (this.state !== "conflict") this.tell("changed");
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), WAIT_MS);
  }

  /** Saves now what is not saved. */
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
    this.tell("saving");
    try {
      this.revision = await putLabel(this.name, copy, this.revision);
      // What was drawn while it was on its way is still to be saved.
      if (this.state === "saving") this.tell("saved");
    } catch (error) {
      const conflict = error instanceof Refused && error.status === 412;
      const changed = error instanceof Refused ? error.changed : undefined;
      this.tell(conflict ? "conflict" : "failed", (error as Error).message, changed);
    }
  }

  /** Keeps ours in spite of what somebody else saved. */
  async overwrite(): Promise<void> {
    this.revision = (await getMap(`${imagePath(this.name)}/label`)).revision;
    this.tell("changed");
    await this.save();
  }

  retry(): void {
    this.tell("changed");
    void this.save();
  }

  /** The image is left. What cannot be saved is kept for when it is opened again. */
  close(): void {
    this.deaf();
    window.removeEventListener("beforeunload", this.hold);
    const saving = this.save().then(() => {
      leaving.delete(this.name);
      if (this.state === "saved") return;
      unsaved.set(this.name, this.data().slice());
      toast(`${this.name}: your last strokes are not saved. Open the image again before you close the page.`, true);
    });
    leaving.set(this.name, saving);
  }
}
