/** The controls of a draft: begun, used or left. */

import { button, h, replace } from "../dom";
import { Draft } from "../label/draft";
import type { Editor } from "../label/editor";
import { digits } from "../numbers";
import type { OpenImage } from "./open_image";

export class DraftPanel {
  readonly element = h("div", { class: "sketch" });

  constructor(
    private image: OpenImage,
    private editor: Editor,
    private redraw: () => void,
    /** Shows the layers that there are now. */
    private showLayers: () => void,
  ) {}

  draw(): void {
    const { draft } = this.editor;
    replace(this.element, ...(draft ? this.controls(draft) : [this.beginButton()]));
  }

  private beginButton(): HTMLElement {
    const title = "A few strokes of each class: the rest is drafted (D)";
    return button("Answer while I paint", () => this.begin(), { title, id: "sketch" });
  }

  private controls(draft: Draft): HTMLElement[] {
    const text = draft.ready
      ? `Draft in ${digits(draft.seconds, 2)} s. Paint more where it is wrong.`
      : "Paint a stroke of each class.";
    return [
      h("p", { class: "quiet" }, text),
      button("Use the draft", () => this.use(), {
        class: "primary",
        disabled: !draft.ready,
        id: "use-draft",
        title: "Shift+D",
      }),
      button("Leave it", () => this.leave()),
    ];
  }

  private begin(): void {
    this.editor.draft = new Draft(this.image.view, this.image.colours(), this.redraw);
    if (this.editor.tool === "look") this.editor.setTool("brush");
    this.drawAll();
  }

  private leave(): void {
    this.editor.draft = null;
    this.drawAll();
  }

  /** Begins a draft, or leaves the one that there is. */
  toggle(): void {
    if (this.editor.draft) this.leave();
    else this.begin();
  }

  /** Makes the draft the label. */
  use(): void {
    const { draft } = this.editor;
    if (!draft?.ready) return;
    this.editor.draft = null;
    this.editor.take(draft.classes(), draft.part);
    this.drawAll();
  }

  private drawAll(): void {
    this.redraw();
    this.showLayers();
  }
}
