/** The mask of a model becomes the label. */

import { getMap, predictionPath } from "../api";
import { button, h, replace } from "../dom";
import type { Editor } from "../label/editor";
import type { Saver } from "../label/save";
import { toast, toastError } from "../messages";
import type { Comparison } from "./comparison";
import type { OpenImage } from "./open_image";
import { takeOver } from "./take_over";

export class Prediction {
  readonly element = h("div");

  constructor(
    private image: OpenImage,
    private editor: Editor,
    private comparison: Comparison,
    private saver: Saver,
  ) {
    this.draw();
  }

  /** There is a button as soon as a model has segmented the image. */
  draw(): void {
    const some = this.image.models.length > 0;
    replace(
      this.element,
      some && button("Accept the prediction", () => void this.accept(), { title: "Key A", id: "accept" }),
    );
  }

  /** Takes the mask that is shown; while none is shown, that of the only model that there is. */
  async accept(): Promise<void> {
    const { models, name, whole } = this.image;
    if (!models.length) return toast("There is no prediction of this image yet");
    const model = this.comparison.shownModel ?? (models.length === 1 ? models[0] : null);
    if (!model) return toast("Several models have segmented this image: choose under Show whose prediction is meant");
    try {
      const { data } = await getMap(`${predictionPath(name, model)}/mask`);
      const offer = { name: `the prediction of ${model}`, data, part: whole, by: "prediction" as const, byHand: false };
      if (this.image.left || !(await takeOver(this.editor, this.saver, offer))) return;
      await this.comparison.showLabel();
      toast(`The prediction of ${model} is the label now; Ctrl+Z takes it back`);
    } catch (error) {
      toastError(error);
    }
  }
}
