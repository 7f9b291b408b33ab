/** A second window beside the first, which moves with it. */

import type { MaskLayer } from "../viewer/mask";
import { ImageView } from "../viewer/view";

/** Makes each of two views show what the other shows, until the returned function is called. */
function moveTogether(a: ImageView, b: ImageView): () => void {
  // A view that is moved by the other one must not move that one back.
  let moving = false;
  const follow = (from: ImageView, to: ImageView) => (): void => {
    if (moving) return;
    moving = true;
    to.viewer.viewport?.fitBounds(from.viewer.viewport.getBounds(true), true);
    moving = false;
  };
  const [there, back] = [follow(a, b), follow(b, a)];
  a.viewer.addHandler("update-viewport", there);
  b.viewer.addHandler("update-viewport", back);
  return () => {
    a.viewer.removeHandler("update-viewport", there);
    b.viewer.removeHandler("update-viewport", back);
  };
}

export class SideView {
  private second: ImageView | null = null;
  private part: () => void = () => undefined;

  constructor(
    private first: ImageView,
    private stage: HTMLElement,
  ) {}

  /** Shows the image with a layer over it. */
  show(layer: MaskLayer): void {
    if (!this.second) {
      this.second = new ImageView(this.first.info);
      this.stage.append(this.second.element);
      this.part = moveTogether(this.first, this.second);
    }
    this.second.layers = [layer];
    this.second.draw();
  }

  draw(): void {
    this.second?.draw();
  }

  close(): void {
    this.part();
    this.part = () => undefined;
    this.second?.close();
    this.second?.element.remove();
    this.second = null;
  }
}
