/** Whether the label is saved, and what can be done where it cannot be. */

import { getLabel, type Refused } from "../api";
import { button, h, replace, type Child } from "../dom";
import { Saver, type SaveState } from "../label/save";
import { toast, toastError } from "../messages";
import { IGNORE } from "../viewer/mask";
import type { OpenImage } from "./open_image";

const WORDS: Record<SaveState, string> = {
  saved: "Saved",
  changed: "Not saved yet",
  saving: "Saving...",
  conflict: "Changed elsewhere",
  failed: "Not saved",
};

export class Saving {
  readonly saver: Saver;
  /** One or two words in the bar. */
  readonly state = h("span", { class: "state", role: "status" });
  /** Why the label is not saved, and buttons; hidden while all is well. */
  readonly conflict = h("div", { class: "conflict", hidden: true });

  constructor(
    private image: OpenImage,
    revision: string,
    finished: () => Uint8Array,
    /** Takes the label that somebody else saved. */
    private takeTheirs: (label: Uint8Array, drawnByHand: boolean) => void,
    private changed: () => void,
  ) {
    this.saver = new Saver(
      image.name,
      finished,
      revision,
      (state, why, what) => this.show(state, why, what),
      () => void this.loadTheirs(),
    );
    this.say("saved");
  }

  private show(state: SaveState, why?: string, changed?: Refused["changed"]): void {
    this.say(state);
    this.conflict.hidden = state !== "conflict" && state !== "failed";
    replace(this.conflict, h("span", {}, why ?? ""), ...this.ways(state, changed));
    this.changed();
  }

  private say(state: SaveState): void {
    const empty = state === "saved" && this.image.label.data.every((value) => value === IGNORE);
    this.state.textContent = empty ? "Not labelled" : WORDS[state];
    this.state.dataset.state = empty ? "empty" : state;
  }

  /** The buttons for a label that is not saved. */
  private ways(state: SaveState, changed?: Refused["changed"]): Child[] {
    if (state === "failed") return [button("Try again", () => this.saver.retry())];
    if (state !== "conflict") return [];
    // With other classes or another image these strokes mean something else: they can only be drawn again.
    const sameMeaning = changed === undefined || changed === "label";
    if (!sameMeaning) return [button("Open the image again", () => location.reload())];
    return [
      button("Load theirs", () => void this.loadTheirs()),
      button("Keep mine", () => void this.saver.overwrite().catch(toastError)),
    ];
  }

  private async loadTheirs(): Promise<void> {
    try {
      const now = await getLabel(this.image.name);
      if (this.image.left) return;
      this.takeTheirs(now.data, now.drawnByHand);
      this.saver.loaded(now.revision);
      toast("The label was changed elsewhere and is loaded again");
    } catch (error) {
      toastError(error);
    }
  }
}
