/** What can be done with the images that are selected: their split, their pixel size, their name, their removal. */

import { post, type ImageCard } from "../api";
import { ask } from "../dialog";
import { button, h, replace, type Child } from "../dom";
import { toast, toastError } from "../messages";
import { PixelSizeField, statePixelSize } from "../pixel_size";
import { theProject } from "../project";
import { deleteRow } from "./deleting";
import { renameRow } from "./renaming";

const USUAL_SPLITS = ["train", "val", "test"];

/** Splits that an image can be put into: the usual ones, and those that there are. */
export const splitNames = (splits: string[]): string[] => [...new Set([...USUAL_SPLITS, ...splits])];

/** Moves images into a split; null takes them out of every split. */
export async function moveToSplit(split: string | null, images: string[]): Promise<void> {
  await post("/splits", { split, images }).catch(toastError);
}

async function holdOut(): Promise<void> {
  const what = "Every fifth labelled image, in order of name, goes to val and the other labelled ones to train.";
  if (!(await ask("Hold out every fifth image?", `${what} Their present splits are given up.`, "Hold out", "Keep the splits"))) return;
  await post("/splits", { hold_out_every: 5 }).then(() => toast("Every fifth labelled image is in val now"), toastError);
}

export class Editing {
  readonly selected = new Set<string>();
  private about = h("span", { class: "quiet", role: "status" });
  private size = new PixelSizeField();
  private rows = h("div", { class: "editing" });
  readonly element = h("details", { class: "card edit-images" }, h("summary", {}, "Splits, pixel size, rename, delete"), this.rows);

  /** `shown` gives the images that are listed; `redraw` shows what is selected. */
  constructor(
    private shown: () => ImageCard[],
    private redraw: () => void,
  ) {
    this.draw();
  }

  select(name: string, on: boolean): void {
    if (on) this.selected.add(name);
    else this.selected.delete(name);
    this.draw();
  }

  /** Images that are gone cannot be selected. */
  private names(): string[] {
    return theProject().images.filter((card) => this.selected.has(card.name)).map((card) => card.name);
  }

  draw(): void {
    const names = this.names();
    const none = names.length === 0;
    this.about.textContent = none ? "No image is selected." : `${names.length} selected.`;
    const split = (to: string | null, text: string): Child =>
      button(text, () => void moveToSplit(to, this.names()), { disabled: none });
    replace(
      this.rows,
      h(
        "div",
        { class: "toolbar" },
        this.about,
        button("Select all shown", () => this.selectAll(true)),
        button("Select none", () => this.selectAll(false), { disabled: none }),
      ),
      h(
        "div",
        { class: "toolbar", role: "group", "aria-label": "Split" },
        h("span", {}, "Put into"),
        ...splitNames(theProject().splits).map((name) => split(name, name)),
        split(null, "no split"),
        button("Hold out every fifth", () => void holdOut(), { title: "Of the labelled images: val; the others: train" }),
      ),
      h(
        "div",
        { class: "toolbar", role: "group", "aria-label": "Pixel size" },
        h("span", {}, "Pixel size"),
        this.size.element,
        button("Set for the selected", () => this.setSize(this.names()), { disabled: none }),
        button("Set for all images", () => this.setSize()),
        button("Take back", () => void statePixelSize(null, none ? undefined : this.names()), {
          title: "What dataset.toml states, of the selected images or of all; the files' own metadata stay",
        }),
      ),
      renameRow(() => this.names()),
      deleteRow(() => this.names()),
    );
  }

  private selectAll(on: boolean): void {
    this.selected.clear();
    if (on) for (const card of this.shown()) this.selected.add(card.name);
    this.draw();
    this.redraw();
  }

  private setSize(images?: string[]): void {
    const nm = this.size.nmPerPx;
    if (nm === null) return toast("Type the pixel size as a number above 0", true);
    void statePixelSize(nm, images);
  }
}
