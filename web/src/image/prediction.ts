/** The mask of a model becomes the label. */

import { getMap, predictionPath } from "../api";
import { button, h, replace } from "../dom";
import type { Editor } from "../label/editor";
import { toast } from "../messages";
import type { Comparison } from "./comparison";
import type { OpenImage } from "./open_image";

export class Prediction {
  readonly element = h("div");

  constructor(
    private image: OpenImage,
    private editor: Editor,
    private comparison: Comparison,
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

  /** Takes the mask that is shown, or that of the newest model. */
  async accept(): Promise<void> {
    const model = this.comparison.maskModel ?? this.image.models.at(-1);
    if (!model) return toast("There is no prediction of this image yet");
    const mask = await getMap(`${predictionPath(this.image.name, model)}/mask`);
    this.editor.take(mask.data, this.image.whole);
    await this.comparison.showLabel();
    toast(`The prediction of ${model} is the label now; Ctrl+Z takes it back`);
  }
}
