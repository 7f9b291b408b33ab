/** The label as it was before it was changed by a program, or emptied: looked at, and taken back. */

import { getMap, getVersions, versionPath, type Version } from "../api";
import { button, h, replace } from "../dom";
import type { Editor } from "../label/editor";
import type { Saver } from "../label/save";
import { toast, toastError } from "../messages";
import { digits } from "../numbers";
import { listen } from "../server_events";
import type { Comparison } from "./comparison";
import type { OpenImage } from "./open_image";
import { takeOver } from "./take_over";

/** `2026-11-27 14:05`, in the time of this computer: read the same way everywhere. */
function dateAndTime(time_s: number): string {
  const at = new Date(time_s * 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

const MADE_BY: Record<Version["by"], string> = {
  strokes: "drawn by hand",
  draft: "a draft",
  prediction: "a prediction",
  version: "an older version, taken back",
  classes: "a change of the classes",
  unknown: "another program",
};

export function versionName(version: Version): string {
  const time = dateAndTime(version.time_s);
  const corrected = version.drawn_by_hand && version.by !== "strokes" && version.by !== "unknown";
  const made = MADE_BY[version.by] + (corrected ? ", corrected by hand" : "");
  return `${time}: ${made}, ${digits(version.labelled_percent, 3)} % labelled`;
}

export class Versions {
  private list = h("ul", { class: "versions" });
  readonly element = h(
    "details",
    { class: "about", toggle: () => void this.load() },
    h("summary", {}, "Versions"),
    this.list,
  );
  private stopListening: () => void;

  constructor(
    private image: OpenImage,
    private editor: Editor,
    private saver: Saver,
    private comparison: Comparison,
  ) {
    this.stopListening = listen((event) => {
      if (event.kind === "label" && event.name === image.name) void this.load();
    });
  }

  /** Lists the versions, newest first, while the list is open. */
  async load(): Promise<void> {
    if (!this.element.open) return;
    try {
      const versions = await getVersions(this.image.name);
      replace(this.list, ...versions.map((version) => this.row(version)));
      if (!versions.length) replace(this.list, h("li", { class: "quiet" }, "There is no earlier version of this label."));
    } catch (error) {
      replace(this.list, h("li", { class: "problem" }, (error as Error).message));
    }
  }

  private row(version: Version): HTMLElement {
    const name = versionName(version);
    return h(
      "li",
      {},
      h("span", {}, name),
      h(
        "span",
        { class: "actions" },
        button("Compare", () => void this.comparison.compareVersion(version.id, name), { "aria-label": `Compare ${name}` }),
        button("Take back", () => void this.takeBack(version, name), { "aria-label": `Take back ${name}` }),
      ),
    );
  }

  private async takeBack(version: Version, name: string): Promise<void> {
    const { image } = this;
    try {
      const { data } = await getMap(versionPath(image.name, version.id));
      if (data.length !== image.label.data.length) return toast("This version is of an image of another size", true);
      const offer = { name, data, part: image.whole, by: "version" as const, byHand: version.drawn_by_hand };
      if (image.left || !(await takeOver(this.editor, this.saver, offer))) return;
      await this.comparison.showLabel();
      toast("The version is the label now; Ctrl+Z takes it back");
    } catch (error) {
      toastError(error);
    }
  }

  leave(): void {
    this.stopListening();
  }
}
