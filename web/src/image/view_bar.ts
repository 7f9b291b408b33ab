/** The bar in the corner of the image: zoom, and the grey level under the pointer. */

import { button, h } from "../dom";
import type { Editor } from "../label/editor";
import { toastError } from "../messages";
import type { ImageView } from "../viewer/view";
import { showKeys } from "./key_list";

/** Grey levels of larger images (one byte a pixel) are loaded only when somebody asks. */
const MOST_PX_UNASKED = 16_000_000;

export class ViewBar {
  private reading = h("span", { class: "reading" });
  private askGrey = button("Grey levels", () => this.load(), { title: "Loads the grey levels of this large image" });
  /** Whether the grey levels were asked for; if they cannot be had, that is said once. */
  private asked = false;
  readonly element: HTMLElement;
  private view: ImageView;

  constructor(private editor: Editor) {
    const view = (this.view = editor.view);
    const { width, height } = view.info;
    this.askGrey.hidden = width * height <= MOST_PX_UNASKED;
    this.element = h(
      "div",
      { class: "view-bar" },
      this.reading,
      this.askGrey,
      button("Fit", () => view.fit(), { title: "Show the whole image" }),
      button("1:1", () => view.zoomTo(1), { title: "A pixel of the image is a pixel of the screen" }),
      button("-", () => view.zoomBy(1 / 1.4), { "aria-label": "Zoom out", title: "Key -" }),
      button("+", () => view.zoomBy(1.4), { "aria-label": "Zoom in", title: "Key +" }),
      button("?", showKeys, { "aria-label": "Keys", title: "All keys (?)", id: "keys" }),
    );
    view.element.append(this.element);
    // At the way down: what lies in the view may keep the event for itself.
    view.element.addEventListener("pointermove", (event) => this.read(event), true);
  }

  private load(): void {
    this.editor.grey.load().then(() => (this.askGrey.hidden = true), toastError);
  }

  /** Shows place and grey level of the pixel under the pointer. */
  private read(event: PointerEvent): void {
    const { grey } = this.editor;
    const at = this.view.pixel(event);
    if (!this.view.inside(at)) {
      this.reading.textContent = "";
      return;
    }
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    if (!grey.data && this.askGrey.hidden && !this.asked) {
      this.asked = true;
      grey.load().then(() => this.read(event), toastError);
    }
    const level = grey.data ? `grey ${grey.data[y * this.view.info.width + x]}` : "";
    this.reading.textContent = `${x}, ${y} px ${level}`;
  }
}
