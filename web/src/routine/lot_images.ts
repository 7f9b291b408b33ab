/** The images of a lot: added, listed, taken out again. They lie apart from the data set. */

import { get, remove, uploadTo } from "../api";
import { button, h, replace } from "../dom";
import { ACCEPTED, sortFiles, takeDrops } from "../gallery/files";
import { toast, toastError } from "../messages";
import { counted } from "../numbers";

interface Listed {
  images: string[];
  /** The lot is measured, or was begun: its images stay as they are. */
  measured: boolean;
}

const lotPath = (lot: string): string => `/lots-in/${encodeURIComponent(lot)}`;

export class LotImages {
  readonly element = h("div", { class: "lot-images" });
  images: string[] = [];
  measured = false;
  private lot = "";
  private list = h("ul", { class: "picks", "aria-label": "Images of the lot" });
  private state = h("p", { class: "quiet", role: "status" });
  private input: HTMLInputElement;

  /** `changed` is called when other images are listed; `named` gives the name of the lot as it is typed, and why it is none. */
  constructor(
    private changed: () => void,
    private named: () => [name: string, wrong: string | null],
  ) {
    const change = (): void => {
      void this.send([...(this.input.files ?? [])]).then(() => (this.input.value = ""));
    };
    this.input = h("input", { type: "file", multiple: true, class: "hidden-input", accept: ACCEPTED, change });
    const add = h("label", { class: "button" }, "Add images of the lot", this.input);
    this.element.append(add, h("p", { class: "quiet" }, "Or drop them here. The files are kept in lots-in, apart from the images to train with."), this.state, this.list);
    takeDrops(this.element, (files) => void this.send(files));
  }

  /** Shows the images of another lot, or what has become of those of this one. */
  async show(lot: string): Promise<void> {
    this.lot = lot;
    const listed: Listed = lot
      ? await get<Listed>(lotPath(lot)).catch(() => ({ images: [], measured: false }))
      : { images: [], measured: false };
    if (lot !== this.lot) return;
    ({ images: this.images, measured: this.measured } = listed);
    this.draw();
    this.changed();
  }

  private draw(): void {
    const { images } = this;
    this.state.textContent = images.length ? `${counted(images.length, "image")} of this lot.` : "No image yet.";
    replace(this.list, ...images.map((name) => this.entry(name)));
    this.list.hidden = images.length === 0;
  }

  private entry(name: string): HTMLElement {
    const take = button("Take out", () => void this.takeOut(name), { "aria-label": `Take out ${name}` });
    return h("li", { class: "row" }, h("span", { class: "name gap" }, name), !this.measured && take);
  }

  private async takeOut(name: string): Promise<void> {
    await remove(`${lotPath(this.lot)}/${encodeURIComponent(name)}`).catch(toastError);
    await this.show(this.lot);
  }

  private async send(files: File[]): Promise<void> {
    const [lot, why] = this.named();
    if (why) return toast(why, true);
    // The name may just have been typed.
    if (lot !== this.lot) await this.show(lot);
    const { send, left } = sortFiles(files, this.images.map((name) => name.replace(/\.[^.]+$/, "")));
    for (const file of left) toast(`${file.name} is neither an image nor the sidecar of one`, true);
    for (const [i, file] of send.entries()) {
      this.state.textContent = `Adding ${i + 1} of ${send.length}: ${file.name}`;
      try {
        await uploadTo(lotPath(lot), file);
      } catch (error) {
        toast(`${file.name} was not added: ${(error as Error).message}`, true);
      }
    }
    await this.show(lot);
  }
}
