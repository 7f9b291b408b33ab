/** Saves a label by itself, and never over what somebody else has saved meanwhile. */

import { getMap, imagePath, listen, putLabel, Refused } from "../api";

export type SaveState = "saved" | "changed" | "saving" | "conflict" | "failed";

const WAIT_MS = 600;

export class Saver {
  state: SaveState = "saved";
  private timer = 0;
  private running: Promise<void> | null = null;
  private deaf: () => void;

  constructor(
    private name: string,
    private data: () => Uint8Array,
    public revision: string,
    private told: (state: SaveState, why?: string) => void,
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

  private tell(state: SaveState, why?: string): void {
    this.state = state;
    this.told(state, why);
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
      this.tell(conflict ? "conflict" : "failed", (error as Error).message);
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

  close(): void {
    void this.save();
    this.deaf();
    window.removeEventListener("beforeunload", this.hold);
  }
}
