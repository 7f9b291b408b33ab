/** The controls of a draft: opened, used or closed. Its strokes stay with the image. */

import { ask } from "../dialog";
import { button, h, replace } from "../dom";
import { Draft } from "../label/draft";
import { DRAFT_PX, isFar } from "../label/draft_part";
import type { Editor } from "../label/editor";
import type { Saver } from "../label/save";
import { Sketch, strokeQueue } from "../label/sketch";
import { toast, toastError } from "../messages";
import { digits } from "../numbers";
import { partFrame } from "../viewer/view";
import type { OpenImage } from "./open_image";
import { takeOver } from "./take_over";

const STATES: Record<string, string> = { saved: "Strokes are saved.", waiting: "Strokes are being saved..." };

export class DraftPanel {
  readonly element = h("div", { class: "sketch" });
  readonly sketch: Sketch;
  private stopListening: () => void;
  /** What is shown now; the same is not drawn again, so that the focus stays. */
  private drawn = "";

  constructor(
    private image: OpenImage,
    private editor: Editor,
    private saver: Saver,
    private redraw: () => void,
    /** Shows the layers that there are now. */
    private showLayers: () => void,
  ) {
    const { info, view } = image;
    this.sketch = new Sketch(info, image.colours(), (box) => {
      this.editor.draft?.drawn(box);
      this.redraw();
    });
    this.sketch.load().then(() => this.draw(), toastError);
    this.stopListening = strokeQueue.listen(() => this.draw());
    view.viewer.addHandler("viewport-change", () => this.editor.draft && this.draw());
    view.marks.push((context, at) => {
      const part = this.editor.draft?.part;
      if (part && info.width * info.height > DRAFT_PX) partFrame(context, at, part);
    });
  }

  draw(): void {
    const { draft } = this.editor;
    const far = draft !== null && isFar(draft.part, this.image.view.visibleBox());
    const saved = strokeQueue.state(this.image.name);
    const { any } = this.sketch;
    const state = JSON.stringify([!!draft, draft?.ready, draft?.seconds, draft?.outside, far, any, saved]);
    if (state === this.drawn) return;
    this.drawn = state;
    const unsaved = saved !== "saved" && saved !== "waiting";
    replace(
      this.element,
      ...(draft ? this.controls(draft, far) : [this.beginButton()]),
      !draft && any && h("p", { class: "quiet" }, "The strokes of an earlier draft are kept."),
      draft && any && !unsaved && h("p", { class: "quiet" }, STATES[saved]),
      unsaved && h("p", { class: "problem", role: "status" }, `Strokes are not saved, and are kept here: ${saved}`),
      unsaved && button("Save the strokes again", () => void strokeQueue.sendNow(this.image.name)),
      any && button("Remove strokes", () => void this.remove(), { id: "remove-strokes" }),
    );
  }

  private beginButton(): HTMLElement {
    const title = "A few strokes of each class: the rest is drafted (D)";
    return button("Answer while I paint", () => void this.begin(), { title, id: "sketch" });
  }

  private controls(draft: Draft, far: boolean): (HTMLElement | false)[] {
    return [
      h("p", { class: draft.outside ? "problem" : "quiet", role: "status" }, this.text(draft)),
      (far || draft.outside) &&
        button("Draft what is seen now", () => draft.moveHere(), { id: "move-draft", title: "Moves the frame here" }),
      button("Use the draft", () => void this.use(), {
        class: "primary",
        disabled: !draft.ready,
        id: "use-draft",
        title: "A, Enter, or Shift+D",
      }),
      button("Close draft", () => this.close(), { title: "D; the strokes are kept" }),
    ];
  }

  private text(draft: Draft): string {
    if (draft.outside) {
      return "This stroke lies outside of the frame. It is kept, but the draft learns only from strokes in the frame.";
    }
    if (draft.ready) return `Draft in ${digits(draft.seconds, 2)} s. Paint more where it is wrong.`;
    return draft.isPart ? "Paint a stroke of each class in the frame." : "Paint a stroke of each class.";
  }

  private async begin(): Promise<void> {
    try {
      const strokes = await this.sketch.open();
      if (this.image.left || this.editor.draft) return;
      this.editor.end();
      this.editor.draft = new Draft(this.image.view, strokes, this.image.colours(), this.redraw);
      if (this.editor.tool === "look") this.editor.setTool("brush");
      this.drawAll();
    } catch (error) {
      // Without the strokes that there are, new ones would replace them.
      toastError(error);
    }
  }

  private close(): void {
    this.editor.end();
    this.editor.draft?.close();
    this.editor.draft = null;
    this.drawAll();
  }

  /** Opens the draft, or closes it. */
  toggle(): void {
    if (this.editor.draft) this.close();
    else void this.begin();
  }

  /** Makes the draft the label. */
  async use(): Promise<void> {
    const { draft } = this.editor;
    if (!draft?.ready) return;
    this.editor.end();
    const offer = { name: "the draft", data: draft.classes(), part: draft.part, by: "draft" as const, byHand: false };
    if (!(await takeOver(this.editor, this.saver, offer))) return;
    if (this.editor.draft === draft) this.close();
    toast("The draft is the label now; Ctrl+Z takes it back");
  }

  private async remove(): Promise<void> {
    const text = "The strokes that drafts of this image were made from go away. The label stays as it is.";
    if (!(await ask("Remove the strokes?", text, "Remove strokes", "Keep them"))) return;
    await this.sketch.remove();
    this.image.view.draw();
  }

  private drawAll(): void {
    this.redraw();
    this.showLayers();
  }

  /** The image is left. */
  leave(): void {
    this.editor.draft?.close();
    this.stopListening();
    this.sketch.close();
  }
}
