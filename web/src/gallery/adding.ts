/** Images are added: chosen, or dropped on the gallery; with the progress, and with what was not taken. */

import { upload } from "../api";
import { button, h, replace } from "../dom";
import { toast } from "../messages";
import { bytesText } from "../numbers";
import { theProject } from "../project";
import { ACCEPTED, sortFiles, takeDrops } from "./files";

export class Adding {
  readonly button: HTMLElement;
  /** The progress; hidden while nothing is sent. */
  readonly progress = h("div", { class: "adding", role: "status", hidden: true });
  private stopped = false;

  /** `done` is called when the files are there. */
  constructor(private done: () => void) {
    const input = h("input", {
      type: "file",
      multiple: true,
      class: "hidden-input",
      accept: ACCEPTED,
      change: () => void this.send([...(input.files ?? [])]),
    });
    this.button = h("label", { class: "button" }, "Add images", input);
  }

  /** Files may be dropped on this element. */
  takeDrops(place: HTMLElement): void {
    takeDrops(place, (files) => void this.send(files));
  }

  private async send(files: File[]): Promise<void> {
    const { send, left } = sortFiles(files, theProject().images.map((card) => card.name));
    for (const file of left) toast(`${file.name} is neither an image nor the sidecar of one`, true);
    this.stopped = false;
    let refused = 0;
    for (const [i, file] of send.entries()) {
      if (this.stopped) break;
      this.show(send, i);
      try {
        await upload(file);
      } catch (error) {
        refused++;
        toast(`${file.name} was not added: ${(error as Error).message}`, true);
      }
    }
    this.progress.hidden = true;
    if (send.length > refused) this.done();
  }

  private show(files: File[], done: number): void {
    const size = (list: File[]): number => list.reduce((sum, file) => sum + file.size, 0);
    const [now, all] = [size(files.slice(0, done)), size(files)];
    this.progress.hidden = false;
    replace(
      this.progress,
      h("progress", { max: all || 1, value: now, "aria-label": "Files added" }),
      h("span", {}, `${done + 1} of ${files.length}: ${files[done].name} (${bytesText(now)} of ${bytesText(all)})`),
      button("Stop adding", () => (this.stopped = true)),
    );
  }
}
